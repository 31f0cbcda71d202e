#include "redis/greeting.hpp"

#include <algorithm>
#include <array>
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

bool is_forbidden(value const& value) {
    return value.kind == value_kind::error && value.text.starts_with("NOPERM");
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

asio::awaitable<std::string> log_in(net::stream& with, resp_reader& reader, server_address address,
                                    base::steady_time until) {
    if (address.password.empty() && address.user.empty()) co_return std::string();
    std::vector<std::string> auth{"AUTH"};
    if (!address.user.empty()) auth.push_back(address.user);
    auth.emplace_back(address.password.reveal());
    auto const said = co_await ask(with, reader, std::move(auth), until);
    if (!said) co_return said.error();
    if (said->kind == value_kind::error) co_return "AUTH: " + said->text;
    co_return std::string();
}

asio::awaitable<greeting> greet(net::stream& with, resp_reader& reader, server_address address,
                                std::string name, base::steady_time until) {
    greeting said;
    said.problem = co_await log_in(with, reader, address, until);
    if (!said.problem.empty()) co_return said;
    std::vector<std::vector<std::string>> commands;
    if (address.db != 0) commands.push_back({"SELECT", std::to_string(address.db)});
    commands.push_back({"CLIENT", "SETNAME", name});
    commands.push_back({"PING"});
    for (auto& command : commands) {
        auto const verb = command[0];
        auto const answered = co_await ask(with, reader, std::move(command), until);
        bool const needed = verb == "SELECT";
        if (!answered)
            said.problem = answered.error();
        else if (answered->kind == value_kind::error && (needed || !is_forbidden(*answered)))
            said.problem = verb + ": " + answered->text;
        if (!said.problem.empty()) co_return said;
    }
    // First the nodes: a replica knows them too, and who is told of them can go on from here.
    auto const slots = co_await ask(with, reader, {"CLUSTER", "SLOTS"}, until);
    if (slots) said.nodes = nodes_of(*slots);
    auto const role = co_await ask(with, reader, {"ROLE"}, until);
    if (!role)
        said.problem = role.error();
    else if (!role->items.empty() && role->items[0].text == "slave")
        said.problem = "it is a replica, which cannot be written to";
    co_return said;
}

}  // namespace engram::redis
