// What the store is opened with.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace engram::store {

struct options {
    /// The SQLite database file; made if absent (its folder must exist).
    std::string path = "/var/lib/engramd/engram.db";
    /// Reader threads for the loads of turns, each with a connection of its own; lists have one more.
    std::size_t readers = 2;
    /// How long one statement waits for another process that holds the database.
    std::chrono::milliseconds busy_timeout{10'000};
    /// The most work of other coroutines that one transaction takes along.
    std::size_t max_batch = 256;
    /// SQLite's page cache of each connection, in KiB.
    std::size_t cache_kib = 1024;
    /// `PRAGMA synchronous`: true = FULL (what is answered survives a power cut), false = NORMAL.
    bool synchronous_full = true;
    /// A log is used though it says that it belongs to another file.
    bool accept_log = false;
};

}  // namespace engram::store
