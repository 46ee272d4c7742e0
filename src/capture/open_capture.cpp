#include "finwait/capture/open_capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "finwait/capture/bytes.h"
#include "finwait/capture/decompressor.h"
#include "finwait/capture/error.h"
#include "finwait/capture/libpcap_reader.h"
#include "finwait/capture/pcap_reader.h"
#include "finwait/capture/pcapng_reader.h"

namespace finwait::capture {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t kShownStart = 16;
constexpr std::size_t kLongestMagic = 262;  // of a tar archive, which has it late

/// A capture that we do not read must be told of even among many files; what is no capture may be passed over.
enum class Kind : std::uint8_t { kNoCapture, kMaybeCapture };

struct Known {
  std::string_view magic;
  Kind kind;
  std::string_view what;
  std::string_view advice;
};

constexpr std::string_view kConvert = "convert it with 'editcap -F pcapng IN OUT'";
constexpr std::string_view kNoPackets = "give a pcap or pcapng file";

constexpr std::array kKnown = {
    Known{"\x1f\x8b"sv, Kind::kMaybeCapture, "is compressed with gzip, but not by deflate", "decompress it first"},
    Known{"\x1f\x9d"sv, Kind::kMaybeCapture, "is compressed with compress", "decompress it first with 'gzip -dc'"},
    Known{"\x02\x21\x4c\x18"sv, Kind::kMaybeCapture, "is compressed with lz4 in its legacy format", "decompress it first with 'lz4 -dc'"},
    Known{"\xfd\x37zXZ\0"sv, Kind::kMaybeCapture, "is compressed with xz", "decompress it first with 'xz -dc'"},
    Known{"BZh"sv, Kind::kMaybeCapture, "is compressed with bzip2", "decompress it first with 'bzip2 -dc'"},
    Known{"PK\3\4"sv, Kind::kNoCapture, "is a zip archive", "extract the captures in it first"},
    Known{"7z\xbc\xaf\x27\x1c"sv, Kind::kNoCapture, "is a 7z archive", "extract the captures in it first"},
    Known{"snoop\0\0\0"sv, Kind::kMaybeCapture, "is a Sun snoop capture", kConvert},
    Known{"GMBU"sv, Kind::kMaybeCapture, "is a Network Monitor capture", kConvert},
    Known{"RTSS"sv, Kind::kMaybeCapture, "is a Network Monitor capture", kConvert},
    Known{"TRSNIFF data"sv, Kind::kMaybeCapture, "is a Sniffer capture", kConvert},
    Known{"XCP\0"sv, Kind::kMaybeCapture, "is a NetXRay capture", kConvert},
    Known{"iptrace "sv, Kind::kMaybeCapture, "is an AIX iptrace capture", kConvert},
    Known{"btsnoop\0"sv, Kind::kNoCapture, "is a Bluetooth capture", "there is no TCP in it"},
    Known{"\xa1\xb2\xc3\xcb"sv, Kind::kNoCapture, "is a saved filter program, not a capture", kNoPackets},
    Known{"\xcb\xc3\xb2\xa1"sv, Kind::kNoCapture, "is a saved filter program, not a capture", kNoPackets},
};

constexpr Known kTar{"ustar"sv, Kind::kNoCapture, "is a tar archive", "extract the captures in it first"};
constexpr std::size_t kTarMagic = 257;

bool begins_with(std::span<const std::uint8_t> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin(),
                                                    [](char left, std::uint8_t right) { return static_cast<std::uint8_t>(left) == right; });
}

const Known* find_known(std::span<const std::uint8_t> start) {
  const auto found = std::find_if(kKnown.begin(), kKnown.end(), [start](const Known& known) { return begins_with(start, known.magic); });
  if (found != kKnown.end()) return &*found;
  return start.size() > kTarMagic && begins_with(start.subspan(kTarMagic), kTar.magic) ? &kTar : nullptr;
}

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
  if (const Known* known = find_known(start)) return fmt::format("{}; {}", known->what, known->advice);
  start = start.first(std::min(start.size(), kShownStart));
  if (start.size() < 4) return fmt::format("is no capture: it has {} bytes only", start.size());
  const std::string_view kind = is_text(start) ? "is text, not a capture" : "is not a capture of a known format";
  return fmt::format("{} (it begins with {}); {}", kind, hexadecimal(start.first(std::min<std::size_t>(start.size(), 8))), kNoPackets);
}

namespace {

/// `lead` stands between the name and what is wrong.
[[noreturn]] void refuse_unknown(ByteWindow& window, const std::string& lead) {
  (void)window.fill(kLongestMagic);
  const std::span<const std::uint8_t> start{window.begin(), std::min(window.size(), kLongestMagic)};
  const std::string line = lead + describe_unknown(start);
  const Known* known = find_known(start);
  if (known == nullptr || known->kind == Kind::kNoCapture) throw NotACapture(line);
  throw CaptureError(line);
}

std::unique_ptr<Source> open_uncompressed(ByteWindow window, const std::string& name) {
  const bool has_magic = window.fill(4);
  const std::string shown = display_name(name);
  if (has_magic) {
    const std::span<const std::uint8_t, 4> magic{window.begin(), 4};
    if (const auto variant = pcap_variant(magic)) return std::make_unique<PcapReader>(std::move(window), name, *variant);
    if (load32(magic.data(), false) == kSectionHeaderBlock) return std::make_unique<PcapngReader>(std::move(window), name);
    (void)window.fill(kLongestMagic);
    const std::span<const std::uint8_t> start{window.begin(), std::min(window.size(), kLongestMagic)};
    if (LibpcapReader::knows(start)) return std::make_unique<LibpcapReader>(std::move(window), name);
  } else if (const std::string error = window.error(); !error.empty()) {
    throw CaptureError(fmt::format("{}: {}", shown, error));
  } else if (window.size() == 0) {
    throw NotACapture(fmt::format("{}: is empty: not even a file header", shown));
  }
  refuse_unknown(window, shown + (window.decompresses() ? ": once decompressed, it " : ": "));
}

}  // namespace

std::unique_ptr<Source> open_capture(ByteWindow window, const std::string& name) {
  const Compression outer = compression_at(window);
  if (outer == Compression::kNone) return open_uncompressed(std::move(window), name);
  ByteWindow plain(std::make_unique<Decompressor>(std::move(window), outer));
  if (const Compression inner = compression_at(plain); inner != Compression::kNone) {
    throw CaptureError(fmt::format("{}: is compressed twice, with {} within {}; decompress it once with '{} -dc'", display_name(name),
                                   compression_name(inner), compression_name(outer), compression_name(outer)));
  }
  return open_uncompressed(std::move(plain), name);
}

std::unique_ptr<Source> open_file(const std::string& path) { return open_capture(ByteWindow(open_bytes(path)), path); }

}  // namespace finwait::capture
