// A main for a fuzz target where there is no fuzzer: runs the files of a corpus folder and a set of mutations
// of them that is the same every time. The input that aborts it is left in a file beside the program,
// wherever that is run from.
#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
// There if a sanitizer is linked in.
extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());

namespace {

constexpr std::size_t mutations_per_file = 2'000;
constexpr std::size_t largest_cut_file = 4'096;  // files up to this size are also run cut off at every byte

std::string const* current = nullptr;
// Made beforehand: what saves it may run in a signal handler.
std::string failure_path, saved_message, not_saved_message;

void name_failure_file() {
    failure_path = std::filesystem::read_symlink("/proc/self/exe").string() + ".failure";
    saved_message = "the input that ended it is in " + failure_path + "\n";
    not_saved_message = "the input that ended it could not be written to " + failure_path + "\n";
}

bool write_all(int file, std::string const& text) {
    for (std::size_t written = 0; written < text.size();) {
        auto const n = ::write(file, text.data() + written, text.size() - written);
        if (n <= 0) return false;
        written += std::size_t(n);
    }
    return true;
}

void save_current() {
    if (current == nullptr) return;
    auto const file = ::open(failure_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    auto const saved = file >= 0 && write_all(file, *current);
    write_all(STDERR_FILENO, saved ? saved_message : not_saved_message);
}

void run(std::string const& input) {
    current = &input;
    // A copy of exactly this size, so that a sanitizer sees a read beyond it.
    std::vector<std::uint8_t> const bytes(input.begin(), input.end());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    current = nullptr;
}

class mutator {
public:
    explicit mutator(std::vector<std::string> const& corpus) : corpus_(corpus) {}

    std::string mutate(std::string text) {
        for (auto steps = 1 + below(4); steps > 0; --steps)
            step(text);
        return text;
    }

private:
    std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }

    void step(std::string& text) {
        auto const at = below(text.size() + 1);
        auto const length = below(std::min<std::size_t>(text.size() - at, 16) + 1);
        switch (below(7)) {
            case 0:
                text.erase(at, length);
                break;
            case 1:
                text.insert(at, text.substr(at, length));
                break;
            case 2:
                text.insert(at, 1, char(random_()));
                break;
            case 3:
                text.insert(at, 1, "[]|:<>{}\"\\ \t\r\n\0"[below(15)]);
                break;
            case 4:
                if (at < text.size()) text[at] = char(std::uint8_t(text[at]) ^ (1U << below(8)));
                break;
            case 5: {
                auto const& other = corpus_[below(corpus_.size())];
                auto const from = below(other.size() + 1);
                text.insert(at, other, from, below(other.size() - from + 1));
                break;
            }
            default:
                text.resize(at);
                break;
        }
    }

    std::vector<std::string> const& corpus_;
    std::mt19937_64 random_{20'260'101};
};

std::vector<std::string> read_corpus(std::filesystem::path const& folder) {
    std::vector<std::filesystem::path> paths;
    for (auto const& entry : std::filesystem::directory_iterator(folder))
        paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> corpus;
    for (auto const& path : paths) {
        std::ifstream file(path, std::ios::binary);
        corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return corpus;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    auto const corpus = read_corpus(argv[1]);
    if (corpus.empty()) {
        std::fprintf(stderr, "%s: nothing in %s\n", argv[0], argv[1]);
        return 1;
    }
    name_failure_file();
    std::signal(SIGABRT, [](int) { save_current(); });
    if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(save_current);
    std::size_t runs = 0;
    mutator mutations(corpus);
    for (auto const& text : corpus) {
        run(text);
        ++runs;
        for (std::size_t size = 0; text.size() <= largest_cut_file && size < text.size(); ++size, ++runs)
            run(text.substr(0, size));
        for (std::size_t i = 0; i < mutations_per_file; ++i, ++runs)
            run(mutations.mutate(text));
    }
    std::printf("%zu inputs\n", runs);
    return 0;
}
