#include "finwait/capture/record_reader.h"

#include <fmt/format.h>

#include <utility>

namespace finwait::capture {

std::string display_name(const std::string& path) { return path == "-" ? "standard input" : path; }

void LinkTypes::note(std::uint16_t link_type) {
  if (seen_.test(link_type)) return;
  seen_.set(link_type);
  in_order_.push_back(link_type);
}

RecordReader::RecordReader(ByteWindow window, std::string name) : window_(std::move(window)), name_(std::move(name)) {}

void RecordReader::end_damaged(std::uint64_t offset, std::string_view where, std::string_view reason) {
  ended_ = true;
  status_ = {true, fmt::format("{}: damaged at byte {}, {}: {}", display_name(name_), offset, where, reason)};
}

std::string RecordReader::shortfall(std::string_view part, std::uint64_t want) const {
  if (std::string error = window_.error(); !error.empty()) return error;
  return fmt::format("the input ends within the {} ({} of {} bytes)", part, window_.size(), want);
}

}  // namespace finwait::capture
