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

namespace {

// The file of a credential that the unit loads; empty: there is none, or none can be found.
std::string file_of(unit_facts const& unit, std::string const& id) {
    auto const named = unit.credentials.find(id);
    if (named == unit.credentials.end()) return {};
    if (named->second.starts_with('/')) return named->second;
    auto const& name = named->second.empty() ? id : named->second;
    for (auto const folder : credential_folders)
        if (auto const path = std::string(folder) + '/' + name; ::access(path.c_str(), F_OK) == 0)
            return path;
    return {};
}

// Why what the unit gets cannot be told; none: it can.
std::optional<finding> veil_of(unit_facts const& unit, std::string const& id, std::string const& file) {
    auto const unknown = [&](std::string const& why) {
        return finding{note, "the API key was not looked at: the credential " + id + " of the unit " + why};
    };
    if (std::ranges::find(unit.encrypted, id) != unit.encrypted.end()) return unknown("is encrypted");
    auto const named = unit.credentials.find(id);
    bool const is_searched = named != unit.credentials.end() && !named->second.starts_with('/');
    if (is_searched && file.empty() && !unit.set_credentials.contains(id))
        return unknown("has no file that this check can find");
    struct stat status{};
    if (::stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
        return unknown("does not come from a plain file");
    if (!file.empty() && ::access(file.c_str(), R_OK) != 0 && errno == EACCES)
        return finding{warning, "the API key can be read by root alone, and was not looked at",
                       "run this check as root"};
    return std::nullopt;
}

void read_key(std::string const& file, api_key& key, findings& found) {
    auto read = read_credential(file);
    if (read && read->has_error())
        found.push_back({failure, read->error().message, "write the key alone, on one line, into " + file});
    else if (read)
        key = std::move(**read);
    struct stat status{};
    if (::stat(file.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        found.push_back({warning, "others than root may read the API key in " + file, "chmod 600 " + file});
}

// Without blanks around it, which are no part of a key.
std::string trimmed(std::string const& text) {
    constexpr auto blanks = " \t\r\n";
    auto const first = text.find_first_not_of(blanks);
    return first == text.npos ? "" : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

void set_key(variables const& from, std::string const& name, std::string const& origin, api_key& key) {
    auto const set = from.find(name);
    if (key.value.empty() && set != from.end()) key = {base::secret(trimmed(set->second)), origin};
}

}  // namespace

unit_keys keys_of(unit_facts const& unit, variables const& environment, findings& found) {
    unit_keys all;
    auto const one = [&](std::string const& id, std::string const& variable, api_key& key) {
        auto const file = file_of(unit, id);
        auto veil = veil_of(unit, id, file);
        if (veil) return veil;
        if (::access(file.c_str(), F_OK) == 0)
            read_key(file, key, found);
        else
            set_key(unit.set_credentials, id, "SetCredential= of the unit", key);
        set_key(environment, variable, variable + " of the unit", key);
        return veil;
    };
    if (auto veil = one("anthropic_api_key", "ANTHROPIC_API_KEY", all.keys.claude)) {
        all.is_known = false;
        found.push_back(std::move(*veil));
    }
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
    if (unit.is_user_dynamic && (unit.user.empty() || known == nullptr)) {
        found.push_back({note,
                         "the unit's user is made at its start (DynamicUser=): what it may do was not "
                         "looked at"});
        return true;
    }
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
