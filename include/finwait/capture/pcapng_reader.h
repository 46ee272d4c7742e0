// pcapng: sections of either byte order, several interfaces, enhanced, simple and obsolete packet blocks, interface statistics.
//
// Blocks it has no use for (name resolution, decryption secrets, custom, unknown) are read over, of any size. Options that do not fit their
// block end the options, not the input. A block whose lengths contradict each other, or a packet of an interface that was never described,
// ends the input: what follows cannot be trusted.
//
// Interfaces are numbered over all sections; those beyond the 65,536th share the last number, so that nobody who keeps something for each
// number grows with the file. Sections may overlap in time: frames come in the order of the file. The length a section gives is not
// believed.
//
// Simple packet blocks carry neither time nor interface: they belong to the section's interface 0 and get the time of the packet before (0
// if none). Frames lost: the last isb_ifdrop and isb_osdrop of each interface; where no isb_osdrop is given, the sum of the packets' own
// drop counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "finwait/capture/record_reader.h"
#include "finwait/capture/tick_clock.h"

namespace finwait::capture {

inline constexpr std::uint32_t kSectionHeaderBlock = 0x0a0d0d0a;  ///< a palindrome: the same in both byte orders
inline constexpr std::size_t kMaxInterfaces = 65536;              ///< in a section, and as they are numbered

class PcapngReader final : public RecordReader {
 public:
  /// `window` stands at a section header block. Throws CaptureError if that block is damaged.
  PcapngReader(ByteWindow window, std::string name);

  [[nodiscard]] std::size_t read(std::span<Frame> batch) override;
  void learn() override;
  [[nodiscard]] std::uint32_t interface_count() const noexcept override;
  [[nodiscard]] std::uint64_t dropped_by_kernel() const override;
  [[nodiscard]] std::uint64_t dropped_by_interface() const override;

 protected:
  [[nodiscard]] std::unique_ptr<RecordReader> copy_over(ByteWindow window) const override;
  [[nodiscard]] std::optional<std::size_t> find_record(std::span<const std::uint8_t> bytes, std::uint64_t offset) const override;
  [[nodiscard]] bool would_agree(const RecordReader& fork) const override;
  void count_as(const RecordReader& fork) override;

 private:
  PcapngReader(ByteWindow window, const PcapngReader& like);

  struct Interface {
    std::uint16_t link_type = 0;
    std::uint32_t snapshot = 0;  // 0: no limit
    TickClock clock;
    bool has_kernel_drops = false;
    std::uint64_t kernel_drops = 0;
    std::uint64_t interface_drops = 0;
    std::uint64_t counted_drops = 0;  // the sum of what packets say was lost before them
  };
  struct Block {
    std::uint32_t type = 0;
    std::uint32_t total = 0;
    std::span<const std::uint8_t> body;
  };
  enum class Step : std::uint8_t { kFrame, kNoFrame, kNeedBytes, kNeedSkip, kEnd };

  [[nodiscard]] Step next_block(Frame& frame);
  [[nodiscard]] bool check_length(const Block& block);
  [[nodiscard]] bool bring_or_skip(Step step);
  [[nodiscard]] Step open_block(const Block& block, Frame& frame);
  [[nodiscard]] Step section_header(const Block& block);
  [[nodiscard]] Step interface_description(const Block& block);
  [[nodiscard]] Step enhanced_packet(const Block& block, Frame& frame);
  [[nodiscard]] Step obsolete_packet(const Block& block, Frame& frame);
  [[nodiscard]] Step simple_packet(const Block& block, Frame& frame);
  [[nodiscard]] Step packet(const Block& block, std::uint32_t interface, std::uint32_t drops, Frame& frame);
  void count_drops(Interface& interface, std::uint64_t drops);
  void count_drops_before(Interface& interface, std::span<const std::uint8_t> options);
  [[nodiscard]] bool is_chain(std::span<const std::uint8_t> bytes) const noexcept;
  void interface_statistics(const Block& block);
  Step damaged(std::string_view reason);
  [[nodiscard]] std::string place() const;
  [[nodiscard]] std::uint32_t number_of(std::uint32_t interface) const noexcept;
  [[nodiscard]] std::uint64_t section_kernel_drops() const;
  [[nodiscard]] std::uint64_t section_interface_drops() const;

  bool swapped_ = false;
  std::vector<Interface> interfaces_;
  std::uint32_t interface_base_ = 0;  // interfaces of the sections before
  std::uint64_t kernel_drops_ = 0;    // of the sections before
  std::uint64_t interface_drops_ = 0;
  base::Timestamp last_time_ = 0;
  std::uint64_t blocks_ = 0;
  std::uint64_t block_offset_ = 0;  // where the current block begins
  std::uint64_t need_ = 0;          // bytes that the last step asked for
  std::uint64_t descriptions_ = 0;  // sections and interfaces so far: what blocks are read by
  bool told_more_ = false;          // a fork: met something that its original must read itself
};

}  // namespace finwait::capture
