// Threads of one block, run in turns, and the places where they wait for each other.
//
// A thread runs until it meets others (__syncthreads, a warp shuffle or vote) or ends; in
// shuffled order, also until its next atomic operation.
// Everything happens on one core: blocks one after another, threads in the order that the
// seed gives (0 forward, 1 backward, others shuffled). A kernel whose result changes with
// the order lacks a barrier. Where no thread can go on, the launch ends with an error.
//
// Compiled anew with every kernel: no <functional>, <memory> or <random>, which take longer than a kernel does.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <vector>
#include "fiber.h"

struct uint3 { unsigned x, y, z; };
struct dim3 { unsigned x = 1, y = 1, z = 1; };

// All __shared__ variables lie in one section, so that it can be filled before each block.
extern char __start_emu_shared[] __attribute__((weak, visibility("hidden")));
extern char __stop_emu_shared[] __attribute__((weak, visibility("hidden")));

namespace emu {

constexpr unsigned kWarp = 32;

// Where the threads named by a mask come together, each with a value.
struct Meeting {
  unsigned mask = 0, arrived = 0;
  const char* function = "";
  uint64_t generation = 0;
  uint64_t brought[kWarp] = {};
  // What the last complete meeting had; valid until all who were there come again.
  unsigned present = 0;
  uint64_t values[kWarp] = {};
};

// Where all threads of the block come together.
struct Barrier {
  unsigned arrived = 0, votes = 0;
  uint64_t generation = 0;
  unsigned last_arrived = 0, last_votes = 0;
};

struct Thread {
  Fiber fiber;
  uint3 index{};
  unsigned lane = 0, warp = 0;
  Meeting* meeting = nullptr;     // what it waits for, if anything
  bool at_barrier = false;
  uint64_t generation = 0;        // of the meeting or barrier, when it came
};

struct Warp {
  unsigned alive = 0;
  std::deque<Meeting> meetings;   // one for each mask in use; addresses stay
};

struct Launch {
  const char* kernel = "";
  dim3 grid, block;
  uint3 block_index{};
  unsigned seed = 0;
  void (*body)(const void*) = nullptr;   // calls the kernel with these arguments
  const void* arguments = nullptr;
  char error[512] = "";
};

inline Launch launch;
inline Thread* current = nullptr;
inline std::deque<Thread> threads;
inline std::vector<Warp> warps;
inline Barrier barrier;
inline unsigned alive = 0;

inline void note_error(const char* what) {
  if (launch.error[0]) return;
  std::snprintf(launch.error, sizeof launch.error, "kernel %s, block (%u,%u,%u), thread (%u,%u,%u): %s",
                launch.kernel, launch.block_index.x, launch.block_index.y, launch.block_index.z, current->index.x,
                current->index.y, current->index.z, what);
}

[[noreturn]] inline void fail(const char* what) {
  note_error(what);
  current->fiber.finish();
}

// ---- meeting -------------------------------------------------------------------------

inline bool complete(Meeting& m, unsigned alive_lanes) {
  if (!m.arrived || (m.arrived & alive_lanes) != (m.mask & alive_lanes)) return false;
  std::memcpy(m.values, m.brought, sizeof m.values);
  m.present = m.arrived;
  m.arrived = 0;
  ++m.generation;
  return true;
}

inline bool complete(Barrier& b) {
  if (!b.arrived || b.arrived < alive) return false;
  b.last_arrived = b.arrived;
  b.last_votes = b.votes;
  b.arrived = b.votes = 0;
  ++b.generation;
  return true;
}

// Brings `value` to the threads in `mask` that are still alive; all values when all are there.
inline const Meeting& meet(const char* function, unsigned mask, uint64_t value) {
  Thread& me = *current;
  if (!(mask >> me.lane & 1)) fail("its mask does not name the thread itself");
  auto& meetings = warps[me.warp].meetings;
  auto found = std::find_if(meetings.begin(), meetings.end(), [&](const Meeting& m) { return m.mask == mask; });
  if (found == meetings.end()) {
    meetings.emplace_back();
    found = meetings.end() - 1;
    found->mask = mask;
  }
  Meeting& m = *found;
  if (m.arrived && std::strcmp(m.function, function)) fail("others of its mask wait in another warp function");
  m.function = function;
  m.brought[me.lane] = value;
  m.arrived |= 1u << me.lane;
  if (complete(m, warps[me.warp].alive)) return m;
  me.meeting = &m;
  me.generation = m.generation;
  me.fiber.suspend();
  me.meeting = nullptr;
  return m;
}

inline const Barrier& meet_block(bool vote) {
  Thread& me = *current;
  ++barrier.arrived;
  barrier.votes += vote;
  me.generation = barrier.generation;
  if (complete(barrier)) return barrier;
  me.at_barrier = true;
  me.fiber.suspend();
  me.at_barrier = false;
  return barrier;
}

// Whether the thread must still wait. A meeting may have become complete by a thread's end.
inline bool waits(Thread& t) {
  if (t.at_barrier) return barrier.generation == t.generation && !complete(barrier);
  if (t.meeting) return t.meeting->generation == t.generation && !complete(*t.meeting, warps[t.warp].alive);
  return false;
}

// ---- running -------------------------------------------------------------------------

inline void thread_main() {
  current->fiber.arrive();
  launch.body(launch.arguments);
  current->fiber.finish();
}

// Another order for each seed (SplitMix64, Steele, Lea and Flood 2014; Fisher and Yates).
inline void shuffle_order(std::vector<unsigned>& order, uint64_t seed) {
  for (size_t left = order.size(); left > 1; --left) {
    uint64_t z = seed += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    std::swap(order[left - 1], order[(z ^ z >> 31) % left]);
  }
}

inline std::vector<unsigned> visiting_order(unsigned count) {
  std::vector<unsigned> order(count);
  for (unsigned i = 0; i < count; ++i) order[i] = launch.seed == 1 ? count - 1 - i : i;
  if (launch.seed > 1) shuffle_order(order, launch.seed + launch.block_index.x);
  return order;
}

inline void prepare_block(unsigned count) {
  // Shared memory starts undefined: fill it with something that no kernel would expect.
  if (__start_emu_shared) std::memset(__start_emu_shared, 0xA5 ^ launch.seed, __stop_emu_shared - __start_emu_shared);
  while (threads.size() < count) threads.emplace_back();
  warps.assign((count + kWarp - 1) / kWarp, Warp{});
  barrier = Barrier{};
  alive = count;
  const dim3& d = launch.block;
  for (unsigned i = 0; i < count; ++i) {
    Thread& t = threads[i];
    t.fiber.reset(&thread_main);
    t.index = {i % d.x, i / d.x % d.y, i / d.x / d.y};
    t.lane = i % kWarp;
    t.warp = i / kWarp;
    t.meeting = nullptr;
    t.at_barrier = false;
    warps[t.warp].alive |= 1u << t.lane;
  }
}

inline void run_block() {
  const unsigned count = launch.block.x * launch.block.y * launch.block.z;
  prepare_block(count);
  std::vector<unsigned> order = visiting_order(count);
  while (!order.empty()) {
    bool anyone_ran = false;
    size_t kept = 0;
    for (const unsigned i : order) {
      current = &threads[i];
      if (!waits(*current)) {
        anyone_ran = true;
        current->fiber.resume();
        if (launch.error[0]) return;
      }
      if (current->fiber.done()) {
        --alive;
        warps[current->warp].alive &= ~(1u << current->lane);
      } else {
        order[kept++] = i;
      }
    }
    order.resize(kept);
    if (!anyone_ran) return note_error("waits for threads that never come (a barrier in divergent code?)");
  }
}

inline void run_grid() {
  const dim3& g = launch.grid;
  for (unsigned z = 0; z < g.z; ++z)
    for (unsigned y = 0; y < g.y; ++y)
      for (unsigned x = 0; x < g.x; ++x) {
        launch.block_index = {x, y, z};
        run_block();
        if (launch.error[0]) return;
      }
}

// ---- calling a kernel with arguments known only at run time ---------------------------

// An argument as Python hands it over: where its value lies, and what it is.
struct Argument {
  void* value;
  size_t item_bytes;   // of the scalar, or of an element of the array; 0 for a null pointer
  int is_pointer;
};

template <class T>
bool fits(const Argument& a) {
  if constexpr (std::is_pointer_v<T>) {
    if (!a.is_pointer) return a.item_bytes == sizeof(T) && !*static_cast<const size_t*>(a.value);  // 0: null
    return !a.item_bytes || a.item_bytes == sizeof(std::remove_pointer_t<T>);
  }
  return !a.is_pointer && a.item_bytes == sizeof(T);
}

template <class... A, size_t... I>
const char* start(const char* name, void (*kernel)(A...), const dim3& grid, const dim3& block, const Argument* args,
                  size_t count, unsigned seed, std::index_sequence<I...>) {
  launch.error[0] = 0;
  if (count != sizeof...(A)) {
    std::snprintf(launch.error, sizeof launch.error, "kernel %s takes %zu arguments, %zu were given", name, sizeof...(A), count);
    return launch.error;
  }
  const bool fit[] = {fits<std::remove_cv_t<A>>(args[I])..., true};
  if (const size_t wrong = std::find(fit, fit + count, false) - fit; wrong < count) {
    std::snprintf(launch.error, sizeof launch.error, "kernel %s: argument %zu has another type than its parameter", name, wrong);
    return launch.error;
  }
  launch.kernel = name;
  launch.grid = grid;
  launch.block = block;
  launch.seed = seed;
  const auto call = [=] { kernel(*static_cast<std::remove_cv_t<A>*>(args[I].value)...); };
  launch.body = [](const void* given) { (*static_cast<const decltype(call)*>(given))(); };
  launch.arguments = &call;
  run_grid();
  return launch.error;
}

}  // namespace emu

#define EMU_EXPORT(kernel)                                                                                        \
  extern "C" const char* emu_launch_##kernel(const dim3* grid, const dim3* block, const emu::Argument* args,      \
                                             size_t count, unsigned seed) {                                       \
    return [&]<class... A>(void (*k)(A...)) {                                                                     \
      return emu::start(#kernel, k, *grid, *block, args, count, seed, std::index_sequence_for<A...>{});           \
    }(kernel);                                                                                                    \
  }
