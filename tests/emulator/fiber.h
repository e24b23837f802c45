// A CUDA thread as a fiber: a call that can stop in the middle and go on later.
//
// The first entry goes through ucontext, every later switch through _setjmp and _longjmp,
// which ask the kernel for nothing (about 10 ns) and exist on every Linux.
#pragma once
#include <csetjmp>
#include <cstddef>
#include <memory>
#include <ucontext.h>

namespace emu {

class Fiber {
 public:
  // Prepares to run `entry` from its beginning; `entry` ends with finish().
  void reset(void (*entry)()) {
    entry_ = entry;
    started_ = done_ = false;
  }

  bool done() const { return done_; }

  // Runs until the fiber suspends itself or finishes. Called by the scheduler.
  void resume() {
    if (_setjmp(scheduler_) != 0) return;
    if (started_) _longjmp(here_, 1);
    started_ = true;
    if (!stack_) stack_ = std::make_unique<char[]>(kStackBytes);
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_.get();
    context_.uc_stack.ss_size = kStackBytes;
    context_.uc_link = nullptr;
    makecontext(&context_, entry_, 0);
    setcontext(&context_);
  }

  // Back to the scheduler; returns at the next resume(). Called inside the fiber.
  void suspend() {
    if (_setjmp(here_) == 0) _longjmp(scheduler_, 1);
  }

  // Back to the scheduler for good. Called inside the fiber.
  [[noreturn]] void finish() {
    done_ = true;
    _longjmp(scheduler_, 1);
  }

 private:
  static constexpr size_t kStackBytes = 64 << 10;
  void (*entry_)() = nullptr;
  bool started_ = false, done_ = false;
  std::unique_ptr<char[]> stack_;
  ucontext_t context_;
  jmp_buf here_, scheduler_;
};

}  // namespace emu
