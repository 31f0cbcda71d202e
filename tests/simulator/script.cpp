#include "script.hpp"

namespace engram::simulator {
namespace {

bool contains(std::string_view text, std::string const& piece) {
    return piece.empty() || text.find(piece) != text.npos;
}

bool fits(step const& s, request_view const& r) {
    return s.at != fault_point::before_reading && contains(r.new_message, s.match) &&
           contains(r.system, s.match_system) && contains(r.model, s.model) &&
           (!s.stream || *s.stream == r.stream) && (s.after_tokens == 0 || r.prompt_tokens > s.after_tokens);
}

}  // namespace

void script::append(std::vector<step> steps) {
    for (auto& s : steps) {
        auto const times = s.repeat;
        steps_.push_back({std::make_shared<step const>(std::move(s)), times});
    }
}

void script::set_faults(std::vector<step> faults) {
    faults_.clear();
    for (auto& f : faults)
        faults_.push_back(std::make_shared<step const>(std::move(f)));
}

std::shared_ptr<step const> script::use(std::list<waiting>::iterator at) {
    auto taken = at->what;
    if (at->left > 0 && --at->left == 0) steps_.erase(at);
    return taken;
}

std::shared_ptr<step const> script::take(request_view const& r, random_engine& random) {
    for (auto s = steps_.begin(); s != steps_.end(); ++s)
        if (fits(*s->what, r)) return use(s);
    for (auto const& f : faults_)
        if (fits(*f, r) && draw_fraction(random) < f->probability) return f;
    return nullptr;
}

std::shared_ptr<step const> script::take_before_reading(random_engine& random) {
    if (!steps_.empty() && steps_.front().what->at == fault_point::before_reading) return use(steps_.begin());
    for (auto const& f : faults_)
        if (f->at == fault_point::before_reading && draw_fraction(random) < f->probability) return f;
    return nullptr;
}

}  // namespace engram::simulator
