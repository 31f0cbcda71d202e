// What the tests of copies share.
#pragma once

#include "backup/failure.hpp"
#include "base/failpoint.hpp"
#include "sqlite/actor.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace engram::backup::test {

namespace fs = std::filesystem;
using namespace engram::store::test;

inline std::string bytes_of(std::string const& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline struct stat stat_of(std::string const& file) {
    struct stat found{};
    BOOST_REQUIRE(::stat(file.c_str(), &found) == 0);
    return found;
}

/// What it complains of; the status is 0 if it does not.
template <class Work>
failure complaint_of(Work work) {
    try {
        work();
    } catch (failure const& failed) {
        return failed;
    }
    return {0, ""};
}

/// It is killed at the failpoint, in a process of its own. False: this build has no failpoints.
template <class Work>
bool is_killed_at(std::string const& place, Work work) {
    constexpr int no_failpoints = 77;
    auto const child = ::fork();
    if (child == 0) {
        auto const refused = base::arm_failpoint((place + ":1").c_str());
        if (refused.find("no failpoints") != std::string::npos) ::_exit(no_failpoints);
        if (!refused.empty()) ::_exit(2);
        try {
            work();
        } catch (...) {
            ::_exit(1);
        }
        ::_exit(0);
    }
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == no_failpoints) {
        BOOST_TEST_MESSAGE("no failpoints in this build");
        return false;
    }
    BOOST_REQUIRE_MESSAGE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
                          "it was not killed at " << place << ", status " << status);
    return true;
}

struct database_fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    std::string copy = folder.file("copy.db");

    /// Jobs whose ids begin with `prefix`, by a daemon that stops in order.
    void write(std::string const& prefix, int turns = 20) const {
        opened_store opened(options_for(path));
        fill(opened, {"ada", "s1"}, turns, prefix);
    }
    /// By one that is killed and leaves its log.
    void leave_log(std::string const& prefix) const {
        actor victim({"commit", path, "ada", "s1", prefix, "1000000"});
        BOOST_REQUIRE(victim.line() == "open");
        for (int i = 0; i < 6; ++i)
            BOOST_REQUIRE(victim.line().starts_with("done "));
        victim.kill();
        BOOST_REQUIRE(fs::file_size(path + "-wal") > 0);
    }
    static std::int64_t jobs(std::string const& file, std::string const& prefix) {
        return number(file, "SELECT count(*) FROM engram_finished_job WHERE job_id LIKE '" + prefix + "%'");
    }
    /// Everything in the folder but the database and what belongs to it.
    [[nodiscard]] std::vector<std::string> others() const {
        std::vector<std::string> names;
        for (auto const& one : fs::directory_iterator(fs::path(path).parent_path())) {
            auto const name = one.path().filename().string();
            if (name != "engram.db" && name != "engram.db-wal" && name != "engram.db-shm")
                names.push_back(name);
        }
        std::sort(names.begin(), names.end());
        return names;
    }
};

}  // namespace engram::backup::test
