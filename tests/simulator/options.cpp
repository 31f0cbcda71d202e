#include "options.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>

#include <charconv>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>

namespace engram::simulator {
namespace json = boost::json;
namespace {

constexpr int usage_error = 64;  // sysexits.h

void read_listen(std::string const& text, options& o) {
    auto const colon = text.rfind(':');
    if (colon == std::string::npos)
        throw CLI::ValidationError("--listen", "expected HOST:PORT, as in 127.0.0.1:8787");
    o.host = text.substr(0, colon);
    if (o.host.starts_with('[') && o.host.ends_with(']')) o.host = o.host.substr(1, o.host.size() - 2);
    auto const port = text.substr(colon + 1);
    auto const [end, error] = std::from_chars(port.data(), port.data() + port.size(), o.port);
    if (error != std::errc() || end != port.data() + port.size())
        throw CLI::ValidationError("--listen", "\"" + port + "\" is not a port");
}

void read_script_file(std::string const& file, options& o) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw CLI::ValidationError("--script", "cannot read " + file);
    std::string const text(std::istreambuf_iterator<char>(in), {});
    boost::system::error_code ec;
    auto const v = json::parse(text, ec);
    if (ec || !v.is_array()) throw CLI::ValidationError("--script", file + " is not a JSON array of steps");
    for (auto const& s : v.get_array()) {
        auto reading = read_step(s);
        if (!reading.step) throw CLI::ValidationError("--script", file + ": " + reading.problem);
        o.script.push_back(std::move(*reading.step));
    }
}

void read_latency(std::string const& text, options& o) {
    auto const l = latency::parse(text);
    if (!l) throw CLI::ValidationError("--latency-ms", "expected 200, exp:200 or uniform:100-300");
    o.latency = *l;
}

void read_faults(std::vector<std::string> const& texts, options& o) {
    for (auto const& text : texts) {
        auto reading = read_fault(text);
        if (!reading.step) throw CLI::ValidationError("--fault", text + ": " + reading.problem);
        o.faults.push_back(std::move(*reading.step));
    }
}

}  // namespace

command_line read_command_line(int argc, char const* const* argv) {
    CLI::App app{
        "claude-simulator: speaks the Claude Messages API, answers by a few rules. A simulation, for tests."};
    options o;
    o.seed = std::random_device{}();
    std::string listen = "127.0.0.1:8787", latency_text, script_file;
    std::vector<std::string> fault_texts;
    app.add_option("--listen", listen, "HOST:PORT to listen on; port 0: a free one")->capture_default_str();
    app.add_option("--port-file", o.port_file, "file that gets the port once it listens");
    auto* cert = app.add_option("--tls-cert", o.tls_cert, "certificate chain (PEM): serve HTTPS");
    app.add_option("--tls-key", o.tls_key, "its private key (PEM)")->needs(cert);
    app.add_option("--api-key", o.api_keys, "accept this key (repeatable); without it any key is accepted")
        ->allow_extra_args(false);
    app.add_option("--latency-ms", latency_text, "200, exp:200 or uniform:100-300");
    app.add_option("--tokens-per-second", o.tokens_per_second, "pace of a stream; 0: at once")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--fault", fault_texts, "KIND:PROBABILITY[,member=value]... (repeatable)")
        ->allow_extra_args(false);
    app.add_option("--script", script_file,
                   "file with the steps to begin with (as for POST /control/script)");
    app.add_option("--seed", o.seed, "of everything random");
    app.add_option("--record", o.record, "requests kept for GET /control/requests; 0: none")
        ->capture_default_str();
    app.add_option("--rpm", o.rates.requests_a_minute, "enforce a limit of requests a minute")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--itpm", o.rates.input_tokens_a_minute, "enforce a limit of input tokens a minute")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--otpm", o.rates.output_tokens_a_minute, "enforce a limit of output tokens a minute")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--burst", o.rates.requests_at_once, "requests that may come at once, with --rpm")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--gone", o.gone, "there is no such model any more (repeatable)")->allow_extra_args(false);
    app.add_option("--context", o.context, "tokens that a prompt may have, whatever the model")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--thinking-tokens", o.thinking_tokens, "spent by models that think before they answer")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    app.add_flag("!--no-rate-limit-headers", o.rates.headers, "leave the twelve headers out");
    app.add_flag("--any-model", o.any_model, "accept models that nobody knows");
    app.add_flag("--quiet", o.quiet, "no banner");
    try {
        app.parse(argc, argv);
        read_listen(listen, o);
        if (!latency_text.empty()) read_latency(latency_text, o);
        read_faults(fault_texts, o);
        if (!script_file.empty()) read_script_file(script_file, o);
        if (o.tls_cert.empty() != o.tls_key.empty())
            throw CLI::ValidationError("--tls-cert", "--tls-cert and --tls-key belong together");
    } catch (CLI::ParseError const& e) {
        return {std::nullopt, app.exit(e, std::cout, std::cerr) == 0 ? 0 : usage_error};
    }
    return {std::move(o), 0};
}

}  // namespace engram::simulator
