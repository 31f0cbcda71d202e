#include "redis/greeting.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

namespace engram::redis {

namespace asio = boost::asio;
using answer = base::result<value, std::string>;

namespace {

constexpr std::size_t most_nodes = 64;

asio::awaitable<answer> read_answer(net::stream& with, resp_reader& reader) {
    std::array<char, 4096> buffer;
    for (;;) {
        auto value = reader.next();
        if (!value) co_return value.error();
        if (*value) co_return std::move(**value);
        auto const read = co_await with.read_some(buffer);
        if (!read.outcome.ok()) co_return read.outcome.what;
        reader.feed({buffer.data(), read.bytes});
    }
}

bool has_too_many_clients(std::string_view text) {
    return text.starts_with("ERR max number of clients");
}

// All that is asked at the beginning beside AUTH and SELECT is a courtesy: whoever refuses it, or does not
// know it, can be used all the same, unless the answer says that every command would be refused.
bool refuses_everything(std::string_view text) {
    constexpr std::string_view codes[] = {"LOADING", "NOAUTH", "WRONGPASS", "MASTERDOWN", "BUSY", "DENIED"};
    auto const code = text.substr(0, text.find(' '));
    return std::ranges::find(codes, code) != std::end(codes) || has_too_many_clients(text);
}

bool is_unknown_command(std::string_view text) {
    return text.starts_with("ERR unknown ") || text.starts_with("ERR Unknown ");
}

bool refuses_login(std::string_view text) {
    return text.starts_with("NOAUTH") || text.starts_with("WRONGPASS") ||
           text.starts_with("ERR invalid password");
}

void note_problem(greeting& said, std::string const& verb, std::string const& text) {
    said.problem = verb + ": " + text;
    said.refuses_login = refuses_login(text);
    if (has_too_many_clients(text))
        said.problem += " (raise maxclients of this Redis, or see who holds its connections: CLIENT LIST)";
    if (!said.refuses_login) return;
    said.problem += text.starts_with("NOAUTH") ? " (the URL names no password)"
                                               : " (the password or the user of the URL is wrong)";
}

// What a refused courtesy costs.
void note_remark(greeting& said, std::string const& verb, std::string const& text) {
    constexpr std::pair<std::string_view, std::string_view> costs[] = {
        {"CLIENT", "its connections have no names"},
        {"PING", "while it loads its data, it is noticed only when it refuses something else"},
        {"ROLE", "that it is a replica is noticed only when it refuses a write"},
        {"CLUSTER", "of a cluster, the other nodes are not known"},
    };
    if (text.starts_with("MISCONF")) {
        auto const misconf =
            "Redis cannot write to its disk: jobs and replies are refused until it can (" + text + ")";
        said.remarks.push_back(misconf);
    }
    if (!is_unknown_command(text)) return;
    auto const* const cost =
        std::ranges::find(costs, verb, &std::pair<std::string_view, std::string_view>::first);
    said.remarks.push_back("this server does not know " + verb + ": " + std::string(cost->second));
}

// CLUSTER SLOTS: {{first, last, {host, port, id, …}, replicas…}, …}
cluster_nodes nodes_of(value const& slots) {
    cluster_nodes nodes;
    for (auto const& range : slots.items) {
        for (std::size_t i = 2; i < range.items.size() && nodes.size() < most_nodes; ++i) {
            auto const& node = range.items[i].items;
            if (node.size() < 2 || node[0].text.empty()) continue;
            auto place = node[0].text + ":" + std::to_string(node[1].as_integer());
            if (std::ranges::find(nodes, place) == nodes.end()) nodes.push_back(std::move(place));
        }
    }
    return nodes;
}

}  // namespace

asio::awaitable<answer> ask(net::stream& with, resp_reader& reader, std::vector<std::string> command,
                            base::steady_time until) {
    std::string bytes;
    append_command(bytes, {command.begin(), command.end()});
    with.set_deadline(until);
    auto const written = co_await with.write(bytes);
    answer got = written.what;
    if (written.ok()) got = co_await read_answer(with, reader);
    with.set_deadline(base::steady_time::max());
    if (!got && base::steady_time::clock::now() >= until) co_return "no answer to " + command[0] + " in time";
    co_return got;
}

asio::awaitable<greeting> log_in(net::stream& with, resp_reader& reader, server_address address,
                                 base::steady_time until) {
    greeting said;
    if (address.password.empty() && address.user.empty()) co_return said;
    std::vector<std::string> auth{"AUTH"};
    if (!address.user.empty()) auth.push_back(address.user);
    auth.emplace_back(address.password.reveal());
    auto const answered = co_await ask(with, reader, std::move(auth), until);
    if (!answered) {
        said.problem = answered.error();
        co_return said;
    }
    if (answered->kind != value_kind::error) co_return said;
    auto const& text = answered->text;
    // Whether one is needed is told by the next command. The second is of Redis before 6.
    bool const needs_none = text.find("without any password configured") != std::string::npos ||
                            text.find("no password is set") != std::string::npos || is_unknown_command(text);
    if (needs_none)
        said.remarks.emplace_back(
            "the URL has a password, but this Redis asks for none: anybody who reaches it may use it");
    else
        note_problem(said, "AUTH", text);
    co_return said;
}

namespace {

// The answer, nil if it was refused.
asio::awaitable<value> ask_courtesy(net::stream& with, resp_reader& reader, std::vector<std::string> command,
                                    base::steady_time until, greeting& said) {
    auto const verb = command[0];
    auto answered = co_await ask(with, reader, std::move(command), until);
    if (!answered)
        said.problem = answered.error();
    else if (answered->kind != value_kind::error)
        co_return std::move(*answered);
    else if (refuses_everything(answered->text))
        note_problem(said, verb, answered->text);
    else
        note_remark(said, verb, answered->text);
    co_return value{};
}

}  // namespace

asio::awaitable<greeting> greet(net::stream& with, resp_reader& reader, server_address address,
                                std::string name, base::steady_time until) {
    auto said = co_await log_in(with, reader, address, until);
    if (!said.problem.empty()) co_return said;
    if (address.db != 0) {
        auto const selected = co_await ask(with, reader, {"SELECT", std::to_string(address.db)}, until);
        if (!selected)
            said.problem = selected.error();
        else if (selected->kind == value_kind::error)
            note_problem(said, "SELECT", selected->text);
        if (!said.problem.empty()) co_return said;
    }
    co_await ask_courtesy(with, reader, {"CLIENT", "SETNAME", name}, until, said);
    if (!said.problem.empty()) co_return said;
    co_await ask_courtesy(with, reader, {"PING"}, until, said);
    if (!said.problem.empty()) co_return said;
    // First the nodes: a replica knows them too, and who is told of them can go on from here.
    auto const slots = co_await ask_courtesy(with, reader, {"CLUSTER", "SLOTS"}, until, said);
    said.nodes = nodes_of(slots);
    if (!said.problem.empty()) co_return said;
    auto const role = co_await ask_courtesy(with, reader, {"ROLE"}, until, said);
    if (!role.items.empty() && role.items[0].text == "slave")
        said.problem = "it is a replica, which cannot be written to";
    co_return said;
}

}  // namespace engram::redis
