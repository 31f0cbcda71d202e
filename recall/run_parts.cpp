#include "recall/run_parts.hpp"

#include "recall/everyday_words.hpp"
#include "recall/tokens.hpp"

#include <algorithm>
#include <utility>

namespace engram::recall {
namespace {

bool is_katakana(char32_t c) {
    return (c >= 0x30A1 && c <= 0x30FA) || c == 0x30FC;
}
bool is_hiragana(char32_t c) {
    return c >= 0x3041 && c <= 0x309F;
}
bool is_han(char32_t c) {
    return (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) || c >= 0x20000;
}

// Characters that end a name or a word that is in no list.
bool is_function_character(char32_t c) {
    constexpr std::u32string_view characters =
        U"的了是在我你您他她它们們和与與也不有叫住这這那很都就说說去来來要会會能没沒吗嗎呢吧啊把被让讓给給对"
        U"對从從到为為以及或但而所得地"
        U"着著过過做谁誰什么麼怎于於之其更最还還又才只";
    return is_hiragana(c) || characters.find(c) != characters.npos;
}

class run_reader {
public:
    explicit run_reader(std::u32string_view run) : run_(run) {}

    std::vector<run_part> read() {
        for (std::size_t at = 0; at < run_.size();) {
            if (is_katakana(run_[at])) {
                at = read_katakana(at);
            } else if (auto const length = everyday_at(at); length > 0) {
                end_rest();
                auto const word = run_.substr(at, length);
                if (commonness_of(to_utf8(word)) == commonness::everyday)
                    parts_.push_back({std::u32string(word), false});
                at += length;
            } else if (is_function_character(run_[at])) {
                end_rest();
                ++at;
            } else {
                rest_ += run_[at++];
            }
        }
        end_rest();
        return std::move(parts_);
    }

private:
    std::size_t read_katakana(std::size_t at) {
        end_rest();
        auto end = at;
        while (end < run_.size() && is_katakana(run_[end]))
            ++end;
        auto const word = run_.substr(at, end - at);
        auto const common = commonness_of(to_utf8(word));
        if (common != commonness::filler && word.size() > 1)
            parts_.push_back({std::u32string(word), common == commonness::rare});
        return end;
    }

    // The longest word of the lists with two characters or more.
    std::size_t everyday_at(std::size_t at) const {
        auto const most = is_han(run_[at]) || is_hiragana(run_[at]) ? std::size_t{4} : std::size_t{12};
        for (auto length = std::min(most, run_.size() - at); length >= 2; --length)
            if (commonness_of(to_utf8(run_.substr(at, length))) != commonness::rare) return length;
        return 0;
    }

    void end_rest() {
        auto const least = !rest_.empty() && is_han(rest_[0]) ? std::size_t{2} : std::size_t{3};
        bool const odd_one =
            rest_.size() == 1 && is_han(rest_[0]) && commonness_of(to_utf8(rest_)) == commonness::rare;
        if (rest_.size() >= least || odd_one) parts_.push_back({rest_, true});
        rest_.clear();
    }

    std::u32string_view run_;
    std::u32string rest_;
    std::vector<run_part> parts_;
};

}  // namespace

std::vector<run_part> parts_of_run(std::u32string_view run) {
    return run_reader(run).read();
}

}  // namespace engram::recall
