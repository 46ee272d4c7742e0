#include "finwait/capture/filter.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <array>
#include <cerrno>
#include <new>
#include <optional>
#include <utility>

#include "dlt.h"
#include "finwait/capture/error.h"
#include "finwait/capture/record_reader.h"

namespace finwait::capture {
namespace {

constexpr std::size_t kMostProblems = 8;
constexpr int kSnapshot = static_cast<int>(kMaxRecord);

class Program {
 public:
  Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() { pcap_freecode(&code); }

  bpf_program code{};
};

struct Compiled {
  std::unique_ptr<Program> program;  // null: see error
  std::string error;
};

/// libpcap's scanner ends the process when it does not get its first few buffers. Whoever asks for more just before learns of it in time.
void make_sure_of_memory(const std::string& expression) {
  constexpr std::size_t kScanner = std::size_t{64} << 10U;
  ::operator delete(::operator new(kScanner + 2 * expression.size()));
}

/// Throws std::bad_alloc: an expression that is not understood and one for which there is no memory are not the same.
Compiled compile(const std::string& expression, std::uint16_t link_type) {
  const std::unique_ptr<pcap_t, void (*)(pcap_t*)> handle(pcap_open_dead(dlt_of(link_type), kSnapshot), &pcap_close);
  if (!handle) throw std::bad_alloc();
  auto program = std::make_unique<Program>();
  make_sure_of_memory(expression);
  errno = 0;
  if (pcap_compile(handle.get(), &program->code, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
    if (errno == ENOMEM) throw std::bad_alloc();
    return {nullptr, pcap_geterr(handle.get())};
  }
  return {std::move(program), {}};
}

std::string link_type_name(std::uint16_t link_type) {
  const char* name = pcap_datalink_val_to_name(dlt_of(link_type));
  return name != nullptr ? fmt::format("{} ({})", name, link_type) : fmt::format("{}", link_type);
}

/// Ethernet judges the syntax; what is meant for another link layer ("type mgt", "inbound") is tried on those.
void check_syntax(const std::string& expression) {
  constexpr std::array<std::uint16_t, 9> kUsual = {1, 101, 113, 105, 127, 9, 117, 0, 276};
  std::string first_error;
  for (const std::uint16_t link_type : kUsual) {
    Compiled compiled = compile(expression, link_type);
    if (compiled.program) return;
    if (link_type == 1) first_error = std::move(compiled.error);
  }
  throw CaptureError(fmt::format("filter '{}': {}", expression, first_error));
}

}  // namespace

struct Filter::Programs {
  std::string expression;
  bool everything = false;                         // an empty expression: no program needed, also for link types libpcap does not know
  std::vector<std::unique_ptr<Program>> compiled;  // null: the expression is not valid for this link type
  std::vector<std::uint16_t> place;                // by link type: 1 + place in `compiled`; 0: not seen yet
  std::vector<std::string> problems;
  std::size_t refused = 0;

  const Program* program_for(std::uint16_t link_type);
};

/// All link types that are refused share one place, so the table stays as small as the number of link types that libpcap knows.
const Program* Filter::Programs::program_for(std::uint16_t link_type) {
  if (place[link_type] != 0) return compiled[place[link_type] - 1U].get();
  Compiled fresh = compile(expression, link_type);
  if (!fresh.program) {
    place[link_type] = 1;
    if (++refused <= kMostProblems) {
      problems.push_back(fmt::format("filter '{}' is not valid for link type {}, none of its frames match: {}", expression,
                                     link_type_name(link_type), fresh.error));
    }
    return nullptr;
  }
  compiled.push_back(std::move(fresh.program));
  place[link_type] = static_cast<std::uint16_t>(compiled.size());
  return compiled.back().get();
}

Filter::Filter(const std::string& expression) : programs_(std::make_unique<Programs>()) {
  if (expression.find('\0') != std::string::npos) throw CaptureError("filter: the expression contains a zero byte");
  check_syntax(expression);
  programs_->expression = expression;
  programs_->everything = expression.find_first_not_of(" \t\r\n") == std::string::npos;
  programs_->place.resize(65536);
  programs_->compiled.emplace_back(nullptr);
}

Filter::~Filter() = default;
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;

bool Filter::matches(const Frame& frame) {
  if (programs_->everything) return true;
  const Program* program = programs_->program_for(frame.link_type);
  if (program == nullptr) return false;
  pcap_pkthdr header{};
  header.caplen = frame.captured;
  header.len = frame.length;
  return pcap_offline_filter(&program->code, &header, frame.data) != 0;
}

const std::string& Filter::expression() const noexcept { return programs_->expression; }

const std::vector<std::string>& Filter::problems() const noexcept { return programs_->problems; }

}  // namespace finwait::capture
