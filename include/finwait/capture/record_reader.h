// What the readers of both file formats share: the window, the name, the count, and how a damaged file is told.
//
// Always true: bytes move (ByteWindow::fill, skip) only while no frame of the current batch is handed out. A reader that runs out of bytes
// within a batch returns the batch as it is; the next read() begins with the refill.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "finwait/capture/byte_window.h"
#include "finwait/capture/source.h"

namespace finwait::capture {

/// No record is larger, whatever the file says: the bound of the buffer. libpcap's own is 256 KiB for most link types and 128 MiB for two
/// that carry no TCP.
inline constexpr std::uint32_t kMaxRecord = std::uint32_t{64} << 20U;

/// Records up to this size are read whatever snapshot length the file header promises (libpcap's MAXIMUM_SNAPLEN).
inline constexpr std::uint32_t kUsualMaxRecord = std::uint32_t{256} << 10U;

/// `path` as messages call it: "-" is "standard input".
[[nodiscard]] std::string display_name(const std::string& path);

/// A set of LINKTYPE_ values that remembers their order.
class LinkTypes {
 public:
  void note(std::uint16_t link_type);
  [[nodiscard]] const std::vector<std::uint16_t>& in_order() const noexcept { return in_order_; }

 private:
  std::bitset<65536> seen_;
  std::vector<std::uint16_t> in_order_;
};

class RecordReader : public Source {
 public:
  [[nodiscard]] SourceStatus status() const override { return status_; }
  [[nodiscard]] double progress() const noexcept override { return window_.progress(); }
  [[nodiscard]] std::vector<std::uint16_t> link_types() const override { return link_types_.in_order(); }
  [[nodiscard]] std::string name() const override { return name_; }

 protected:
  RecordReader(ByteWindow window, std::string name);

  /// Ends the input because it ended while `want` bytes of `part` were needed from byte `offset` on, where a record begins: properly if
  /// nothing of it is there or a stop was requested, otherwise as damaged.
  void end_short(std::uint64_t offset, std::string_view where, std::string_view part, std::uint64_t want);

  /// Ends the input as damaged at the record that begins at byte `offset`. `where` counts what the format counts; `reason` is a clause
  /// without a full stop.
  void end_damaged(std::uint64_t offset, std::string_view where, std::string_view reason);

  /// The input ended while `want` bytes from byte `offset` on were needed: says so, or passes on the provider's error.
  [[nodiscard]] std::string shortfall(std::uint64_t offset, std::string_view part, std::uint64_t want) const;

  ByteWindow window_;
  LinkTypes link_types_;
  std::uint64_t frames_ = 0;
  bool ended_ = false;

 private:
  std::string name_;
  SourceStatus status_;
};

}  // namespace finwait::capture
