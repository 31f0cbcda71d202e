// A thread of the store.
#pragma once

#include <functional>
#include <thread>

namespace engram::store {

/// Starts a thread that takes no signals: they belong to the program's main thread, and a write beyond a file
/// size limit must be an error that SQLite sees, not the end of the process. `name`: at most 15 characters.
[[nodiscard]] std::thread start_thread(char const* name, std::function<void()> body);

}  // namespace engram::store
