// A CUDA thread as a fiber: a call that can stop in the middle and go on later.
//
// The first entry goes through ucontext, every later switch through _setjmp and _longjmp,
// which ask the kernel for nothing (about 10 ns) and exist on every Linux.
#pragma once
#include <csetjmp>
#include <cstddef>
#include <cstdlib>
#include <ucontext.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace emu {

// Tells the address sanitizer on which stack we are, where there is one.
class StackSwitch {
#ifdef __SANITIZE_ADDRESS__
 public:
  static constexpr size_t kRoom = 8;  // frames are larger
  void to_fiber(void* stack, size_t bytes) { __sanitizer_start_switch_fiber(&scheduler_, stack, bytes); }
  void back_in_scheduler() { __sanitizer_finish_switch_fiber(scheduler_, nullptr, nullptr); }
  void in_fiber() { __sanitizer_finish_switch_fiber(fiber_, &stack_, &bytes_); }
  void to_scheduler(bool returns) {
    __sanitizer_start_switch_fiber(returns ? &fiber_ : nullptr, stack_, bytes_);
  }

 private:
  void *scheduler_ = nullptr, *fiber_ = nullptr;
  const void* stack_ = nullptr;
  size_t bytes_ = 0;
#else
 public:
  static constexpr size_t kRoom = 1;
  void to_fiber(void*, size_t) {}
  void back_in_scheduler() {}
  void in_fiber() {}
  void to_scheduler(bool) {}
#endif
};

class Fiber {
 public:
  Fiber() = default;
  Fiber(const Fiber&) = delete;
  ~Fiber() { std::free(stack_); }

  // Prepares to run `entry` from its beginning; `entry` begins with arrive() and ends with finish().
  void reset(void (*entry)()) {
    entry_ = entry;
    started_ = done_ = false;
  }

  bool done() const { return done_; }

  // Runs until the fiber suspends itself or finishes. Called by the scheduler.
  void resume() {
    if (_setjmp(scheduler_) != 0) return stacks_.back_in_scheduler();
    if (!stack_ && !(stack_ = static_cast<char*>(std::malloc(kStackBytes)))) std::abort();
    stacks_.to_fiber(stack_, kStackBytes);
    if (started_) _longjmp(here_, 1);
    started_ = true;
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_;
    context_.uc_stack.ss_size = kStackBytes;
    context_.uc_link = nullptr;
    makecontext(&context_, entry_, 0);
    setcontext(&context_);
  }

  // The first call inside the fiber.
  void arrive() { stacks_.in_fiber(); }

  // Back to the scheduler; returns at the next resume(). Called inside the fiber.
  void suspend() {
    if (_setjmp(here_) != 0) return stacks_.in_fiber();
    stacks_.to_scheduler(true);
    _longjmp(scheduler_, 1);
  }

  // Back to the scheduler for good. Called inside the fiber.
  [[noreturn]] void finish() {
    done_ = true;
    stacks_.to_scheduler(false);
    _longjmp(scheduler_, 1);
  }

 private:
  static constexpr size_t kStackBytes = StackSwitch::kRoom * (64 << 10);
  void (*entry_)() = nullptr;
  bool started_ = false, done_ = false;
  char* stack_ = nullptr;
  StackSwitch stacks_;
  ucontext_t context_;
  jmp_buf here_, scheduler_;
};

}  // namespace emu
