#include "daemon/check_unit.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <grp.h>
#include <iterator>
#include <poll.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

extern char** environ;

namespace engram::daemon {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using enum finding::grade;

constexpr std::size_t most_bytes = 1024UL * 1024;  // of a unit's text

std::string message_of(int error) {
    return std::generic_category().message(error);
}

struct pipe_ends {
    std::array<int, 2> ends{-1, -1};
    pipe_ends() {
        if (pipe2(ends.data(), O_CLOEXEC) != 0)
            throw std::system_error(errno, std::generic_category(), "cannot run systemctl");
    }
    pipe_ends(pipe_ends const&) = delete;
    pipe_ends& operator=(pipe_ends const&) = delete;
    ~pipe_ends() {
        close_writer();
        ::close(ends[0]);
    }
    void close_writer() {
        if (auto const end = std::exchange(ends[1], -1); end >= 0) ::close(end);
    }
};

// The error's number; 0: it runs.
int start_systemctl(std::string const& unit, int output, pid_t& process) {
    std::array<std::string, 5> words{"systemctl", "--no-pager", "cat", "--", unit};
    std::array<char*, 6> arguments{};
    std::ranges::transform(words, arguments.begin(), [](std::string& word) { return word.data(); });
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    auto const error = posix_spawnp(&process, "systemctl", &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

// Until it ends; false: it takes too long.
bool read_all(int from, std::string& into) {
    auto const until = steady_clock::now() + check_patience;
    std::array<char, 4096> buffer;
    for (;;) {
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now());
        pollfd ready{from, POLLIN, 0};
        if (left <= 0ms || into.size() > most_bytes) return false;
        auto const woken = ::poll(&ready, 1, int(left.count()));
        if (woken < 0 && errno != EINTR) return false;
        if (woken <= 0) continue;
        auto const count = ::read(from, buffer.data(), buffer.size());
        if (count <= 0) return count == 0;
        into.append(buffer.data(), std::size_t(count));
    }
}

std::optional<std::string> text_of(std::string const& path, int& error) {
    std::ifstream file(path, std::ios::binary);
    error = file ? 0 : errno;
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

base::result<std::string, finding> read_unit(std::string const& name) {
    auto const failed = [&](std::string const& why) {
        return finding{failure, "the unit " + name + " cannot be read (systemctl cat: " + why + ')',
                       "see that it is installed: systemctl list-unit-files 'engramd*'"};
    };
    pipe_ends output;
    pid_t process = 0;
    if (auto const error = start_systemctl(name, output.ends[1], process); error != 0)
        return failed(message_of(error));
    output.close_writer();
    std::string text;
    bool const ended = read_all(output.ends[0], text);
    if (!ended) ::kill(process, SIGKILL);
    int status = 0;
    while (::waitpid(process, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!ended) return failed("it does not end");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return failed("there is no such unit, or no systemd");
    return text;
}

variables environment_of(unit_facts const& unit, findings& found) {
    auto all = unit.environment;
    for (auto const& file : unit.environment_files) {
        int error = 0;
        auto const text = text_of(path_in(file), error);
        if (text)
            add_environment(all, *text);
        else if (!file.starts_with('-'))
            found.push_back(
                {failure,
                 "the unit's EnvironmentFile " + file + " cannot be read (" + message_of(error) + ')',
                 "make it, or write EnvironmentFile=-" + file, false});
    }
    return all;
}

unit_keys keys_of(unit_facts const& unit, variables const& environment, findings& found) {
    unit_keys all;
    auto const one = [&](std::string const& id, std::string const& variable, api_key& key) {
        if (std::ranges::find(unit.encrypted, id) != unit.encrypted.end()) return false;
        auto const path = unit.credentials.find(id);
        if (path != unit.credentials.end()) {
            if (::access(path->second.c_str(), R_OK) != 0 && errno == EACCES) return false;
            auto read = read_credential(path->second);
            if (read && read->has_error())
                found.push_back({failure, read->error().message,
                                 "write the key alone, on one line, into " + path->second});
            else if (read)
                key = std::move(**read);
            struct stat status{};
            if (::stat(path->second.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
                found.push_back({warning, "others than root may read the API key in " + path->second,
                                 "chmod 600 " + path->second});
        }
        auto const set = environment.find(variable);
        if (key.value.empty() && set != environment.end())
            key = {base::secret(set->second), variable + " of the unit"};
        return true;
    };
    all.is_known = one("anthropic_api_key", "ANTHROPIC_API_KEY", all.keys.claude);
    static_cast<void>(one("embedding_api_key", "EMBEDDING_API_KEY", all.keys.embedding));
    return all;
}

namespace {

// The unit's groups, of those that exist.
bool take_groups(unit_facts const& unit, passwd const& user) {
    auto const group_of = [](std::string const& name, gid_t otherwise) {
        auto const* const found = getgrnam(name.c_str());
        return found != nullptr ? found->gr_gid : otherwise;
    };
    auto const own = unit.group.empty() ? user.pw_gid : group_of(unit.group, user.pw_gid);
    if (initgroups(user.pw_name, own) != 0) return false;
    std::vector<gid_t> all(std::size_t(std::max(getgroups(0, nullptr), 0)));
    if (getgroups(int(all.size()), all.data()) < 0) return false;
    for (auto const& name : unit.more_groups)
        all.push_back(group_of(name, own));
    return setgroups(all.size(), all.data()) == 0 && setgid(own) == 0;
}

}  // namespace

bool become_user(unit_facts const& unit, findings& found) {
    auto const name = unit.user.empty() ? std::string("root") : unit.user;
    auto const* const known = getpwnam(name.c_str());
    if (known == nullptr) {
        found.push_back(
            {failure, "the unit's user " + name + " does not exist", "systemd-sysusers engramd.conf"});
        return false;
    }
    auto const user = *known;
    if (user.pw_uid == geteuid()) return true;
    if (geteuid() != 0) {
        found.push_back({warning, "what the unit's user " + name + " may do was not looked at",
                         "run this check as root"});
        return true;
    }
    if (take_groups(unit, user) && setuid(user.pw_uid) == 0) return true;
    found.push_back({failure, "cannot become the unit's user " + name + " (" + message_of(errno) + ')'});
    return false;
}

}  // namespace engram::daemon
