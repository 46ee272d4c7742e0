// Captures by libpcap's own reader: for formats that it knows and we do not.
//
// libpcap reads through a ByteWindow like every other reader, so standard input and compressed captures are no special case. It shows one
// packet at a time and forgets it: frames are copied into a buffer of fixed size that lives until the next read().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "finwait/capture/record_reader.h"

namespace finwait::capture {

class LibpcapReader final : public RecordReader {
 public:
  /// `window` stands at the start of the file. Throws CaptureError with libpcap's words if it cannot read the file's header.
  LibpcapReader(ByteWindow window, std::string name);
  ~LibpcapReader() override;

  [[nodiscard]] std::size_t read(std::span<Frame> batch) override;

  /// Whether libpcap knows what a file that begins with `start` is. It may still refuse it for what comes later.
  [[nodiscard]] static bool knows(std::span<const std::uint8_t> start);

 private:
  struct Handle;

  [[nodiscard]] bool next();
  void describe(Frame& frame, const std::uint8_t* data) const noexcept;

  std::unique_ptr<Handle> handle_;
  std::unique_ptr<std::uint8_t[]> copies_;
  std::uint16_t link_type_ = 0;
  bool held_ = false;  // the handle shows a packet that was not handed out yet
};

}  // namespace finwait::capture
