#include "finwait/capture/record_reader.h"

#include <fmt/format.h>

#include <utility>

#include "finwait/capture/stop.h"

namespace finwait::capture {
namespace {

/// How far seek_record() looks: some records of the largest size that occurs on Ethernet.
constexpr std::size_t kLookAhead = std::size_t{256} * 1024;

}  // namespace

std::string display_name(const std::string& path) { return path == "-" ? "standard input" : path; }

void LinkTypes::note(std::uint16_t link_type) {
  if (seen_.test(link_type)) return;
  seen_.set(link_type);
  in_order_.push_back(link_type);
}

RecordReader::RecordReader(ByteWindow window, std::string name) : window_(std::move(window)), name_(std::move(name)) {}

std::unique_ptr<RecordReader> RecordReader::fork(std::uint64_t begin, std::uint64_t end) const {
  auto window = window_.piece(begin, end);
  if (!window) return nullptr;
  auto fork = copy_over(std::move(*window));
  if (!fork) return nullptr;
  fork->link_types_ = link_types_;
  fork->stop_at_ = end;
  return fork;
}

bool RecordReader::seek_record() {
  (void)window_.fill(kLookAhead);
  const auto place = find_record({window_.begin(), std::min(window_.size(), kLookAhead)}, window_.offset());
  if (place) window_.consume(*place);
  return place.has_value();
}

bool RecordReader::join(const RecordReader& fork) {
  if (fork.ended_ || !would_agree(fork)) return false;
  frames_ += fork.frames_;
  count_as(fork);
  window_.jump(fork.offset());
  return true;
}

void RecordReader::end_short(std::uint64_t offset, std::string_view where, std::string_view part, std::uint64_t want) {
  ended_ = true;
  const bool in_order = window_.size() == 0 && window_.offset() == offset;
  if (window_.error().empty() && (in_order || stop_requested())) return;
  end_damaged(offset, where, shortfall(offset, part, want));
}

void RecordReader::end_damaged(std::uint64_t offset, std::string_view where, std::string_view reason) {
  ended_ = true;
  const std::string_view of_what = window_.decompresses() ? " once decompressed" : "";
  status_ = {true, fmt::format("{}: damaged at byte {}{}, {}: {}", display_name(name_), offset, of_what, where, reason)};
}

std::string RecordReader::shortfall(std::uint64_t offset, std::string_view part, std::uint64_t want) const {
  if (std::string error = window_.error(); !error.empty()) return error;
  return fmt::format("the input ends within the {} ({} of {} bytes{})", part, window_.offset() + window_.size() - offset, want,
                     window_.changed() ? "; it is still being written" : "");
}

}  // namespace finwait::capture
