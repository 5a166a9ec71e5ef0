// Tells the thread sanitizer of the locks that it does not see: linked into what is built for it.
//
// Synchronization.Mutex takes and leaves a free lock by atomics in the code that uses it, which is built for
// the sanitizer. A contended one goes through these functions of libswiftSynchronization, which is not, to
// FUTEX_LOCK_PI, by which the kernel hands it from thread to thread. The linker's --wrap puts ours around
// them, so that the lock which is tested is the one that is delivered.

#include <stdbool.h>
#include <stdint.h>

#include <sanitizer/tsan_interface.h>

// _MutexHandle's, by their mangled names. One that a later toolchain calls otherwise is not wrapped; then the
// reports that Tests/Sanitizers/README.md describes are back.
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK_SLOW "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *mutex
#define NAMED(symbol) __asm__(symbol)

SWIFT void real_lock_slow(uint32_t thread, SELF) NAMED("__real_" LOCK_SLOW);
SWIFT bool real_try_lock_slow(SELF) NAMED("__real_" TRY_LOCK_SLOW);
SWIFT void real_unlock_slow(SELF) NAMED("__real_" UNLOCK_SLOW);

SWIFT void lock_slow(uint32_t thread, SELF) NAMED("__wrap_" LOCK_SLOW);
SWIFT bool try_lock_slow(SELF) NAMED("__wrap_" TRY_LOCK_SLOW);
SWIFT void unlock_slow(SELF) NAMED("__wrap_" UNLOCK_SLOW);

SWIFT void lock_slow(uint32_t thread, SELF) {
  real_lock_slow(thread, mutex);
  __tsan_acquire(mutex);
}

SWIFT bool try_lock_slow(SELF) {
  bool taken = real_try_lock_slow(mutex);
  if (taken) __tsan_acquire(mutex);
  return taken;
}

SWIFT void unlock_slow(SELF) {
  __tsan_release(mutex);
  real_unlock_slow(mutex);
}
