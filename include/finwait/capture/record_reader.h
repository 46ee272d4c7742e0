// What the readers of both file formats share: the window, the name, the count, and how a damaged file is told.
//
// Always true: bytes move (ByteWindow::fill, skip) only while no frame of the current batch is handed out. A reader that runs out of bytes
// within a batch returns the batch as it is; the next read() begins with the refill.
#pragma once

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
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

/// A reader can be forked: forks read pieces of the file at the same time as others, each on a guess of where its first record begins. What
/// a fork read counts only once the reader before it has come to that very place, and join() has found that nothing there changes what is
/// known of the file (see divider.h).
class RecordReader : public Source {
 public:
  /// Where the next record begins, in bytes of the input.
  [[nodiscard]] std::uint64_t offset() const noexcept { return window_.offset(); }
  /// Whether no frame will come any more.
  [[nodiscard]] bool has_ended() const noexcept { return ended_; }
  /// Bytes of the input when it was opened; 0: unknown.
  [[nodiscard]] std::uint64_t input_size() const noexcept { return window_.input_size(); }

  /// Reads what stands before the next frame and changes how frames are read, so that forks know of it.
  virtual void learn() {}

  /// Another reader of the same input, which knows what this one knows of it and stands at byte `begin`; null if this input has only one
  /// reader. Borrows the input from this one. Reads up to the first record that begins at or after `end`. For another thread.
  [[nodiscard]] std::unique_ptr<RecordReader> fork(std::uint64_t begin, std::uint64_t end) const;

  /// Moves on to where records seem to begin, by what several of them in a row look like; false if there is no such place near. A guess:
  /// payload may look so too.
  [[nodiscard]] bool seek_record();

  /// Goes on from where `fork` came to, as if everything since had been read here. Requires that it began where this one stands. False,
  /// and nothing changes, if what it met must be read here: damage, the end, whatever changes what is known of the file.
  [[nodiscard]] bool join(const RecordReader& fork);

  /// Nothing more will be read: gives the buffer back, for the next fork in the same thread, while it is in that processor's cache.
  void close() noexcept { window_.close(); }

  /// From now on read() stops (and gives 0) before the first record that begins at or after `end`.
  void stop_at(std::uint64_t end) noexcept { stop_at_ = end; }

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

  /// A reader of the same format in the same state, over `window`; null if there can be none: then the rest is never asked.
  [[nodiscard]] virtual std::unique_ptr<RecordReader> copy_over(ByteWindow /*window*/) const { return nullptr; }
  /// Offset in `bytes` of the first of several records in a row, as far as can be told; nothing if there is none. `offset`: of the first
  /// byte in the input.
  [[nodiscard]] virtual std::optional<std::size_t> find_record(std::span<const std::uint8_t> /*bytes*/, std::uint64_t /*offset*/) const {
    return std::nullopt;
  }
  /// Whether `fork` began with what is known here, and met nothing but records that leave it as it is.
  [[nodiscard]] virtual bool would_agree(const RecordReader& /*fork*/) const { return false; }
  /// Takes over what `fork` counted.
  virtual void count_as(const RecordReader& /*fork*/) {}

  /// How many bytes of the window may begin a record.
  [[nodiscard]] std::size_t before_stop() const noexcept {
    if (stop_at_ <= window_.offset()) return 0;
    return static_cast<std::size_t>(std::min<std::uint64_t>(window_.size(), stop_at_ - window_.offset()));
  }
  [[nodiscard]] bool stopped() const noexcept { return window_.offset() >= stop_at_; }

  ByteWindow window_;
  std::uint64_t stop_at_ = std::numeric_limits<std::uint64_t>::max();
  LinkTypes link_types_;
  std::uint64_t frames_ = 0;
  bool ended_ = false;

 private:
  std::string name_;
  SourceStatus status_;
};

}  // namespace finwait::capture
