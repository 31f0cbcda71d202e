#include "support/failing_memory.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local std::size_t allocations_left = 0;  // until one fails; 0: none will
thread_local bool failed = false;

bool fails_now() {
    if (allocations_left == 0 || --allocations_left > 0) return false;
    failed = true;
    return true;
}

void* allocate(std::size_t size, std::size_t alignment) {
    if (fails_now()) return nullptr;
    void* memory = nullptr;
    return ::posix_memalign(&memory, alignment, size > 0 ? size : 1) == 0 ? memory : nullptr;
}

void* allocate_or_throw(std::size_t size, std::size_t alignment = alignof(std::max_align_t)) {
    if (void* const memory = allocate(size, alignment)) return memory;
    throw std::bad_alloc();
}

}  // namespace

namespace engram::tests {

failing_memory::failing_memory(std::size_t nth) {
    failed = false;
    allocations_left = nth;
}

failing_memory::~failing_memory() {
    allocations_left = 0;
}

bool failing_memory::has_failed() const {
    return failed;
}

}  // namespace engram::tests

// In place of the library's, so that every kind of new and delete comes here.
void* operator new(std::size_t size) {
    return allocate_or_throw(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

// Asio's memory for handlers and frames of coroutines.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    return allocate(size, alignment);
}
