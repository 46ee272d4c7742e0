#include "finwait/capture/open_capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "finwait/capture/bytes.h"
#include "finwait/capture/error.h"
#include "finwait/capture/pcap_reader.h"
#include "finwait/capture/pcapng_reader.h"

namespace finwait::capture {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t kLongestMagic = 16;

struct Known {
  std::string_view magic;
  std::string_view what;
  std::string_view advice;
};

constexpr std::string_view kConvert = "convert it with 'editcap -F pcapng IN OUT'";

constexpr std::array kKnown = {
    Known{"\x1f\x8b"sv, "is compressed with gzip", "decompress it first with 'gzip -dc'"},
    Known{"\x28\xb5\x2f\xfd"sv, "is compressed with zstd", "decompress it first with 'zstd -dc'"},
    Known{"\x04\x22\x4d\x18"sv, "is compressed with lz4", "decompress it first with 'lz4 -dc'"},
    Known{"\xfd\x37zXZ\0"sv, "is compressed with xz", "decompress it first with 'xz -dc'"},
    Known{"BZh"sv, "is compressed with bzip2", "decompress it first with 'bzip2 -dc'"},
    Known{"PK\3\4"sv, "is a zip archive", "extract the captures in it first"},
    Known{"7z\xbc\xaf\x27\x1c"sv, "is a 7z archive", "extract the captures in it first"},
    Known{"snoop\0\0\0"sv, "is a Sun snoop capture", kConvert},
    Known{"GMBU"sv, "is a Network Monitor capture", kConvert},
    Known{"RTSS"sv, "is a Network Monitor capture", kConvert},
    Known{"TRSNIFF data"sv, "is a Sniffer capture", kConvert},
    Known{"XCP\0"sv, "is a NetXRay capture", kConvert},
    Known{"iptrace "sv, "is an AIX iptrace capture", kConvert},
    Known{"btsnoop\0"sv, "is a Bluetooth capture", "there is no TCP in it"},
    Known{"\xa1\xb2\xc3\xcb"sv, "is a saved filter program, not a capture", "give a pcap or pcapng file"},
    Known{"\xcb\xc3\xb2\xa1"sv, "is a saved filter program, not a capture", "give a pcap or pcapng file"},
};

bool is_text(std::span<const std::uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](std::uint8_t byte) { return (byte >= 0x20 && byte < 0x7f) || (byte >= '\t' && byte <= '\r'); });
}

std::string hexadecimal(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{}{:02x}", text.empty() ? "" : " ", byte);
  return text;
}

}  // namespace

std::string describe_unknown(std::span<const std::uint8_t> start) {
  for (const Known& known : kKnown) {
    const bool same = start.size() >= known.magic.size() &&
                      std::equal(known.magic.begin(), known.magic.end(), start.begin(),
                                 [](char left, std::uint8_t right) { return static_cast<std::uint8_t>(left) == right; });
    if (same) return fmt::format("{}; {}", known.what, known.advice);
  }
  if (start.size() < 4) return fmt::format("is no capture: it has {} bytes only", start.size());
  const std::string_view kind = is_text(start) ? "is text, not a capture" : "is not a capture of a known format";
  return fmt::format("{} (it begins with {}); give a pcap or pcapng file", kind,
                     hexadecimal(start.first(std::min<std::size_t>(start.size(), 8))));
}

std::unique_ptr<Source> open_capture(ByteWindow window, const std::string& name) {
  const bool has_magic = window.fill(4);
  const std::string shown = display_name(name);
  if (!has_magic) {
    if (const std::string error = window.error(); !error.empty()) throw CaptureError(fmt::format("{}: {}", shown, error));
    if (window.size() == 0) throw CaptureError(fmt::format("{}: is empty: not even a file header", shown));
  } else {
    const std::span<const std::uint8_t, 4> magic{window.begin(), 4};
    if (const auto variant = pcap_variant(magic)) return std::make_unique<PcapReader>(std::move(window), name, *variant);
    if (load32(magic.data(), false) == kSectionHeaderBlock) return std::make_unique<PcapngReader>(std::move(window), name);
  }
  (void)window.fill(kLongestMagic);
  throw CaptureError(fmt::format("{}: {}", shown, describe_unknown({window.begin(), std::min(window.size(), kLongestMagic)})));
}

std::unique_ptr<Source> open_file(const std::string& path) { return open_capture(ByteWindow(open_bytes(path)), path); }

}  // namespace finwait::capture
