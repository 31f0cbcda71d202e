#include "recall/neighbours.hpp"

#include "recall/hash.hpp"

#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace engram::recall {
namespace {

constexpr std::string_view magic("engram.words.1\n\0", 16);
constexpr std::size_t header_size = 16 + 3 * 4, most_stems = 65'535, longest_file = 64 << 20;

struct file {
    explicit file(std::string const& path) : descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    file(file const&) = delete;
    file& operator=(file const&) = delete;
    ~file() {
        if (descriptor >= 0) ::close(descriptor);
    }
    int descriptor;
};

std::string reason() {
    return std::generic_category().message(errno);
}

[[noreturn]] void refuse(char const* what) {
    throw std::runtime_error(what);
}

}  // namespace

std::unique_ptr<word_neighbours> word_neighbours::open(std::string const& path) try {
    file const source(path);
    struct stat about{};
    if (source.descriptor < 0 || ::fstat(source.descriptor, &about) != 0) throw std::runtime_error(reason());
    if (!S_ISREG(about.st_mode)) refuse("no regular file");
    auto const size = static_cast<std::size_t>(about.st_size);
    if (size < header_size || size > longest_file) refuse("no word table: wrong size");
    void* const bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, source.descriptor, 0);
    if (bytes == MAP_FAILED) throw std::runtime_error(reason());
    std::unique_ptr<word_neighbours> table(new word_neighbours(bytes, size));
    table->check();
    return table;
} catch (std::runtime_error const& failure) {
    throw std::runtime_error(path + ": " + failure.what());
}

word_neighbours::word_neighbours(void* bytes, std::size_t size)
    : bytes_(static_cast<char const*>(bytes)), size_(size) {
    stems_ = read_u32(bytes_ + 16);
    pairs_ = read_u32(bytes_ + 20);
    text_ = read_u32(bytes_ + 24);
}

word_neighbours::~word_neighbours() {
    ::munmap(const_cast<char*>(bytes_), size_);
}

/// After this no read can leave the mapping, whatever the bytes are.
void word_neighbours::check() const {
    if (std::string_view(bytes_, magic.size()) != magic) refuse("no word table of this version");
    if (stems_ > most_stems || size_ != header_size + 12 * stems_ + 8 + 3 * pairs_ + text_) {
        refuse("damaged word table: sizes do not fit");
    }
    for (std::size_t i = 0; i <= stems_; ++i) {
        auto const pair = pair_at(i), text = text_at(i);
        bool const first = i == 0, last = i == stems_;
        if ((first && (pair != 0 || text != 0)) || (last && (pair != pairs_ || text != text_))) {
            refuse("damaged word table: offsets do not fit");
        }
        if (!last && (pair > pair_at(i + 1) || pair_at(i + 1) - pair > most || text > text_at(i + 1))) {
            refuse("damaged word table: offsets do not ascend");
        }
        if (i + 1 < stems_ && hash_at(i) >= hash_at(i + 1))
            refuse("damaged word table: hashes do not ascend");
    }
    for (std::size_t i = 0; i < pairs_; ++i) {
        if (stem_at(i) >= stems_) refuse("damaged word table: a neighbour is not there");
    }
    for (char const c : std::string_view(pairs() + 3 * pairs_, text_)) {
        if (c <= ' ' || c == 0x7F) refuse("damaged word table: a word is not ASCII");
    }
}

std::uint32_t word_neighbours::hash_at(std::size_t i) const {
    return read_u32(bytes_ + header_size + 4 * i);
}

std::uint32_t word_neighbours::pair_at(std::size_t i) const {
    return read_u32(bytes_ + header_size + 4 * stems_ + 4 * i);
}

std::uint32_t word_neighbours::text_at(std::size_t i) const {
    return read_u32(bytes_ + header_size + 8 * stems_ + 4 + 4 * i);
}

char const* word_neighbours::pairs() const {
    return bytes_ + header_size + 12 * stems_ + 8;
}

std::uint16_t word_neighbours::stem_at(std::size_t pair) const {
    auto const* byte = reinterpret_cast<unsigned char const*>(pairs() + 3 * pair);
    return static_cast<std::uint16_t>(byte[0] | byte[1] << 8);
}

std::optional<std::uint16_t> word_neighbours::find(std::uint32_t stem_hash) const {
    std::size_t low = 0, high = stems_;
    while (low < high) {
        auto const middle = (low + high) / 2;
        if (hash_at(middle) < stem_hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == stems_ || hash_at(low) != stem_hash) return {};
    return static_cast<std::uint16_t>(low);
}

std::uint32_t word_neighbours::hash(std::uint16_t stem) const {
    return hash_at(stem);
}

std::string_view word_neighbours::word(std::uint16_t stem) const {
    auto const begin = text_at(stem), end = text_at(stem + 1U);
    return {pairs() + 3 * pairs_ + begin, end - begin};
}

std::size_t word_neighbours::count(std::uint16_t stem) const {
    return pair_at(stem + 1U) - pair_at(stem);
}

word_neighbours::neighbour word_neighbours::at(std::uint16_t stem, std::size_t index) const {
    auto const pair = pair_at(stem) + index;
    auto const nearness = static_cast<unsigned char>(pairs()[3 * pair + 2]);
    return {stem_at(pair), static_cast<float>(nearness) / 255};
}

}  // namespace engram::recall
