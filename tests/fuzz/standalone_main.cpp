// Drives one fuzz target without libFuzzer: its seeds first, then a fixed sequence of random and mutated inputs.
//
// Always true: the same arguments give the same inputs on every machine; only --seconds may end the sequence earlier. When an input makes
// the target die, it is left in the file `crash-input` of the current folder; give that file as an argument to run it alone. It does not
// know what code an input reached: to look for new paths use libFuzzer (FINWAIT_FUZZ).
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
// Called by a sanitizer before it ends the process; absent without one.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace {

using Bytes = std::vector<std::uint8_t>;

// What the target is looking at: a handler of signals can reach nothing but globals.
const Bytes* g_current = nullptr;

void keep_current_input() {
  const int file = ::open("crash-input", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  if (file < 0 || g_current == nullptr) return;
  const bool kept = ::write(file, g_current->data(), g_current->size()) == static_cast<ssize_t>(g_current->size());
  ::close(file);
  constexpr std::string_view kMessage = "The input is in the file crash-input.\n";
  if (kept && ::write(STDERR_FILENO, kMessage.data(), kMessage.size()) < 0) return;
}

extern "C" void on_signal(int number) {
  keep_current_input();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void keep_input_of_a_crash() {
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(keep_current_input);
  std::signal(SIGABRT, on_signal);
  if (__sanitizer_set_death_callback == nullptr) {
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(number, on_signal);
  }
}

void run(const Bytes& input) {
  g_current = &input;
  // A copy of exactly this size, so that a sanitizer sees the first byte behind it.
  const Bytes exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

/// splitmix64: small, and the same everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  /// In [0, bound); 0 for 0.
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : static_cast<std::size_t>(next() % bound); }
  std::uint8_t byte() { return static_cast<std::uint8_t>(next()); }

 private:
  std::uint64_t state_;
};

constexpr std::size_t kLongestInput = 4096;

Bytes random_bytes(Random& random) {
  // Short ones are more often interesting than long ones.
  Bytes bytes(random.below(random.below(3) == 0 ? kLongestInput : 160));
  std::generate(bytes.begin(), bytes.end(), [&] { return random.byte(); });
  return bytes;
}

void overwrite_with_extreme(Bytes& bytes, Random& random) {
  constexpr std::array<std::uint8_t, 8> kExtremes{0x00, 0x01, 0x7F, 0x80, 0xFF, 0xFE, 0x40, 0x0F};
  const std::size_t width = std::size_t{1} << random.below(3);
  const std::uint8_t value = kExtremes[random.below(kExtremes.size())];
  const std::size_t at = random.below(bytes.size());
  for (std::size_t i = at; i < std::min(at + width, bytes.size()); ++i) bytes[i] = value;
}

void mutate_once(Bytes& bytes, const Bytes& other, Random& random) {
  using Offset = Bytes::difference_type;
  const auto at = [&] { return bytes.begin() + static_cast<Offset>(random.below(bytes.size())); };
  if (bytes.empty()) {
    bytes = random_bytes(random);
    return;
  }
  switch (random.below(7)) {
    case 0:
      *at() ^= static_cast<std::uint8_t>(1U << random.below(8));
      break;
    case 1:
      *at() = random.byte();
      break;
    case 2:
      overwrite_with_extreme(bytes, random);
      break;
    case 3:
      bytes.insert(at(), random.byte());
      break;
    case 4:
      bytes.erase(at());
      break;
    case 5:
      bytes.resize(random.below(bytes.size() + 1));
      break;
    default:
      bytes.insert(at(), other.begin(), other.begin() + static_cast<Offset>(random.below(other.size() + 1)));
      break;
  }
}

Bytes next_input(const std::vector<Bytes>& seeds, Random& random) {
  if (seeds.empty() || random.below(4) == 0) return random_bytes(random);
  Bytes bytes = seeds[random.below(seeds.size())];
  const Bytes& other = seeds[random.below(seeds.size())];
  for (std::size_t changes = 1 + random.below(8); changes > 0; --changes) mutate_once(bytes, other, random);
  if (bytes.size() > kLongestInput) bytes.resize(kLongestInput);
  return bytes;
}

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    std::exit(2);
  }
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Files as given, and all files of folders, in the order of their names: directories list theirs in any order.
std::vector<Bytes> read_seeds(const std::vector<std::filesystem::path>& paths) {
  std::vector<std::filesystem::path> names;
  for (const auto& path : paths) {
    if (!std::filesystem::is_directory(path)) {
      names.push_back(path);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      if (entry.is_regular_file()) names.push_back(entry.path());
    }
  }
  std::sort(names.begin(), names.end());
  std::vector<Bytes> seeds;
  std::transform(names.begin(), names.end(), std::back_inserter(seeds), read_file);
  return seeds;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t inputs = 0;
  std::uint64_t seconds = 3600;
  std::uint64_t seed = 1;
  std::vector<std::filesystem::path> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.substr(0, 2) != "--") {
      paths.emplace_back(word);
    } else if (i + 1 < argc && (word == "--inputs" || word == "--seconds" || word == "--seed")) {
      (word == "--inputs" ? inputs : word == "--seconds" ? seconds : seed) = std::strtoull(argv[++i], nullptr, 10);
    } else {
      std::fprintf(stderr, "usage: %s [--inputs N] [--seconds N] [--seed N] [FILE or FOLDER]...\n", argv[0]);
      return 2;
    }
  }

  keep_input_of_a_crash();
  const std::vector<Bytes> seeds = read_seeds(paths);
  run({});
  for (const Bytes& bytes : seeds) run(bytes);

  Random random(seed);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::uint64_t done = 0;
  for (; done < inputs && std::chrono::steady_clock::now() < deadline; ++done) run(next_input(seeds, random));
  std::printf("%zu seeds and %llu inputs held\n", seeds.size(), static_cast<unsigned long long>(done));
  return 0;
}
