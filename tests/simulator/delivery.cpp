#include "delivery.hpp"

#include "json_text.hpp"

#include <algorithm>
#include <charconv>

namespace engram::simulator {
namespace {

using kind = action::kind;

std::string chunk(std::string_view bytes) {
    char size[20];
    auto const end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
    std::string out(size, end);
    out += "\r\n";
    out += bytes;
    return out += "\r\n";
}

/// A body as the pieces that go over the wire, chunk framing included.
std::vector<action> body_actions(reply const& r, bool complete) {
    std::vector<action> out;
    for (auto const& p : r.body) {
        if (p.before.count() > 0) out.push_back({kind::pause, {}, p.before});
        auto bytes = r.chunked ? chunk(p.bytes) : p.bytes;
        if (!out.empty() && out.back().what == kind::send)
            out.back().bytes += bytes;
        else
            out.push_back({kind::send, std::move(bytes), {}});
    }
    if (r.chunked && complete) {
        if (!out.empty() && out.back().what == kind::send)
            out.back().bytes += "0\r\n\r\n";
        else
            out.push_back({kind::send, "0\r\n\r\n", {}});
    }
    return out;
}

/// Ends the list after `limit` bytes of what is sent.
void cut_after(std::vector<action>& actions, std::size_t limit) {
    for (std::size_t i = 0; i < actions.size(); ++i) {
        auto& a = actions[i];
        if (a.what != kind::send) continue;
        if (a.bytes.size() < limit) {
            limit -= a.bytes.size();
            continue;
        }
        a.bytes.resize(limit);
        actions.resize(limit == 0 ? i : i + 1);
        return;
    }
}

std::size_t bytes_sent(std::vector<action> const& actions) {
    std::size_t n = 0;
    for (auto const& a : actions)
        n += a.bytes.size();
    return n;
}

/// Pieces of 1 to 16 bytes, or pieces that all begin inside a character.
std::vector<std::string> split(std::string_view bytes, bool inside_characters, random_engine& random) {
    std::vector<std::string> out;
    while (!bytes.empty()) {
        std::size_t n = 1 + random() % 16;
        if (inside_characters) {
            n = 0;
            while (n < bytes.size() && static_cast<unsigned char>(bytes[n]) < 0xC0)
                ++n;
            ++n;  // the character's first byte stays here, the rest goes with the next piece
        }
        n = std::min(n, bytes.size());
        out.emplace_back(bytes.substr(0, n));
        bytes.remove_prefix(n);
    }
    return out;
}

/// A body in many small pieces; in a stream each is an HTTP chunk of its own.
void split_body(reply& r, step const& s, random_engine& random) {
    std::vector<reply::piece> pieces;
    auto const gap = s.pause.value_or(std::chrono::milliseconds(1));
    for (auto const& p : r.body) {
        auto before = p.before;
        for (auto& bytes : split(p.bytes, s.has(fault_kind::split_utf8), random)) {
            pieces.push_back({before, std::move(bytes)});
            before = gap;
        }
    }
    r.body = std::move(pieces);
}

std::size_t body_size(reply const& r) {
    std::size_t n = 0;
    for (auto const& p : r.body)
        n += p.bytes.size();
    return n;
}

std::string finished_head(reply const& r) {
    std::string head = r.head;
    if (r.chunked)
        head += "transfer-encoding: chunked\r\n";
    else if (lower_ascii(r.head).find("\r\ncontent-length:") == head.npos)
        head += "content-length: " + std::to_string(body_size(r)) + "\r\n";
    return head += "\r\n";
}

void append(std::vector<action>& to, std::vector<action> more) {
    std::move(more.begin(), more.end(), std::back_inserter(to));
}

std::vector<action> whole(reply const& r) {
    std::vector<action> out{{kind::send, finished_head(r), {}}};
    auto body = body_actions(r, true);
    // Head and body in one write where nothing stands between them.
    if (!body.empty() && body[0].what == kind::send) {
        out[0].bytes += body[0].bytes;
        body.erase(body.begin());
    }
    append(out, std::move(body));
    return out;
}

action stall_of(step const& s) {
    return s.pause ? action{kind::pause, {}, *s.pause} : action{kind::stall, {}, {}};
}

/// reset, close and stall at the point where the step wants them.
std::vector<action> strike(reply const& r, step const& s, bool& keep_alive) {
    bool const stall = s.has(fault_kind::stall);
    auto const blow =
        stall ? stall_of(s) : action{s.has(fault_kind::reset) ? kind::reset : kind::close, {}, {}};
    std::vector<action> out;
    keep_alive = keep_alive && stall;
    switch (s.at) {
        case fault_point::before_reading:
        case fault_point::before_reply:
            out.push_back(blow);
            if (stall) append(out, whole(r));
            return out;
        case fault_point::after_headers:
            out = {{kind::send, finished_head(r), {}}, blow};
            if (stall) append(out, body_actions(r, true));
            return out;
        case fault_point::mid_body: {
            auto body = body_actions(r, true);
            auto rest = body;
            auto const size = bytes_sent(body);
            auto const limit = std::min(s.at_byte.value_or(size / 2), size);
            cut_after(body, limit);
            out = {{kind::send, finished_head(r), {}}};
            append(out, body);
            out.push_back(blow);
            if (!stall) return out;
            std::string remaining;
            for (auto const& a : rest)
                remaining += a.bytes;
            out.push_back({kind::send, remaining.substr(limit), {}});
            return out;
        }
        case fault_point::idle:
            out = whole(r);
            out.push_back({kind::pause, {}, s.pause.value_or(std::chrono::milliseconds(10))});
            if (!stall) out.push_back(blow);
            return out;
        case fault_point::next_request:
            out = whole(r);
            keep_alive = true;
            out.push_back({kind::doom, {}, {}});
            return out;
    }
    return out;
}

std::vector<action> cut_short(reply const& r, step const& s) {
    auto body = body_actions(r, true);
    auto const size = bytes_sent(body);
    cut_after(body, std::min(s.at_byte.value_or(size / 2), size > 0 ? size - 1 : 0));
    std::vector<action> out{{kind::send, finished_head(r), {}}};
    append(out, std::move(body));
    out.push_back({kind::close, {}, {}});
    return out;
}

}  // namespace

void change_headers(std::string& lines, std::vector<header_change> const& changes) {
    for (auto const& c : changes) {
        bool const all = c.name.ends_with('*');
        auto const name = all ? c.name.substr(0, c.name.size() - 1) : c.name + ':';
        std::string kept;
        bool first = true;
        for (std::string_view rest = lines; !rest.empty();) {
            auto const line = rest.substr(0, std::min(rest.find("\r\n"), rest.size() - 2) + 2);
            rest.remove_prefix(line.size());
            if (first || !lower_ascii(line.substr(0, name.size())).starts_with(name)) kept += line;
            first = false;  // the status line
        }
        lines = std::move(kept);
        if (c.value) lines += c.name + ": " + *c.value + "\r\n";
    }
}

std::vector<action> plan_actions(reply r, step const* s, random_engine& random, bool& keep_alive) {
    if (!s) return whole(r);
    if (s->has(fault_kind::garbage_http)) {
        keep_alive = false;
        std::string noise = "\x01\x02\xFF\xFE no HTTP \r\n\r\n";
        for (int i = 0; i < 64; ++i)
            noise += static_cast<char>(random());
        return {{kind::send, std::move(noise), {}}, {kind::close, {}, {}}};
    }
    if (s->has(fault_kind::garbage_body) && !r.body.empty())
        r.body = {{{}, "<html>{\"type\": \xFF\xFE nonsense"}};
    if (s->has(fault_kind::split_frames) || s->has(fault_kind::split_utf8)) split_body(r, *s, random);
    if (s->has(fault_kind::reset) || s->has(fault_kind::close) || s->has(fault_kind::stall))
        return strike(r, *s, keep_alive);
    bool const cut_json = s->has(fault_kind::cut_stream) && !r.chunked;
    if (s->has(fault_kind::truncated) || cut_json) {
        keep_alive = false;
        return cut_short(r, *s);
    }
    if (s->has(fault_kind::cut_stream) && !s->clean_end) {
        // The events were cut already; the HTTP body ends without its last chunk.
        keep_alive = false;
        std::vector<action> out{{kind::send, finished_head(r), {}}};
        append(out, body_actions(r, false));
        out.push_back({kind::close, {}, {}});
        return out;
    }
    return whole(r);
}

}  // namespace engram::simulator
