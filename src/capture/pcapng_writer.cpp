#include "finwait/capture/pcapng_writer.h"

#include <algorithm>
#include <array>

namespace finwait::capture {
namespace {

constexpr std::size_t kLongestComment = 65532;  // a multiple of 4 below what 16 bits count

constexpr std::uint32_t padded(std::size_t length) noexcept { return static_cast<std::uint32_t>((length + 3) & ~std::size_t{3}); }

std::string_view cut_between_characters(std::string_view text) {
  if (text.size() <= kLongestComment) return text;
  std::size_t end = kLongestComment;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end);
}

}  // namespace

PcapngWriter::PcapngWriter(const std::string& path, std::uint32_t snapshot_length) : file_(path), snapshot_length_(snapshot_length) {
  file_.write32(0x0a0d0d0a);  // section header block
  file_.write32(28);
  file_.write32(0x1a2b3c4d);
  file_.write16(1);
  file_.write16(0);
  file_.write32(0xffffffff);  // section length: not given
  file_.write32(0xffffffff);
  file_.write32(28);
}

void PcapngWriter::write_padded(const std::uint8_t* bytes, std::size_t length) {
  constexpr std::array<std::uint8_t, 3> kZeros{};
  file_.write({bytes, length});
  file_.write({kZeros.data(), padded(length) - length});
}

void PcapngWriter::describe_interface(std::uint16_t link_type) {
  file_.write32(1);  // interface description block
  file_.write32(32);
  file_.write16(link_type);
  file_.write16(0);
  file_.write32(snapshot_length_);
  file_.write16(9);  // if_tsresol: nanoseconds
  file_.write16(1);
  file_.write32(9);
  file_.write32(0);  // end of options
  file_.write32(32);
}

void PcapngWriter::write(const Frame& frame, std::string_view comment) {
  const auto [place, fresh] = interfaces_.try_emplace({frame.interface, frame.link_type}, static_cast<std::uint32_t>(interfaces_.size()));
  if (fresh) describe_interface(frame.link_type);
  comment = cut_between_characters(comment);
  const std::uint32_t captured = std::min(frame.captured, snapshot_length_);
  const std::uint32_t options = comment.empty() ? 0 : 4 + padded(comment.size()) + 4;
  const std::uint32_t total = 32 + padded(captured) + options;
  const std::uint64_t time = frame.time > 0 ? static_cast<std::uint64_t>(frame.time) : 0;
  file_.write32(6);  // enhanced packet block
  file_.write32(total);
  file_.write32(place->second);
  file_.write32(static_cast<std::uint32_t>(time >> 32U));
  file_.write32(static_cast<std::uint32_t>(time));
  file_.write32(captured);
  file_.write32(frame.length);
  write_padded(frame.data, captured);
  if (!comment.empty()) {
    file_.write16(1);  // opt_comment
    file_.write16(static_cast<std::uint16_t>(comment.size()));
    write_padded(reinterpret_cast<const std::uint8_t*>(comment.data()), comment.size());
    file_.write32(0);  // end of options
  }
  file_.write32(total);
}

}  // namespace finwait::capture
