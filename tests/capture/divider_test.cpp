// Files cut anywhere give the frames, and the words about damage, of the same files read from the beginning.
#include "finwait/capture/divider.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "capture/capture_bytes.h"

namespace finwait::capture {
namespace {

using namespace testing;

struct Divided {
  Outcome outcome;
  unsigned pieces = 0;
  unsigned proven = 0;
};

void keep(std::span<const Frame> frames, std::vector<Seen>& seen) {
  for (const Frame& frame : frames)
    seen.push_back({frame.time, frame.length, frame.link_type, frame.interface, Bytes(frame.data, frame.data + frame.captured)});
}

/// Reads all pieces before it proves the first one.
Divided divided(const std::string& path, std::uint64_t size) {
  Divided result;
  FileSequence files({path});
  Divider divider(files, size);
  std::array<Frame, 7> batch;
  while (divider.begin()) {
    std::vector<std::unique_ptr<Piece>> pieces;
    std::vector<std::vector<Seen>> seen;
    while (auto piece = divider.next()) {
      seen.emplace_back();
      for (std::size_t count = piece->read(batch); count != 0; count = piece->read(batch)) keep(std::span(batch).first(count), seen.back());
      pieces.push_back(std::move(piece));
    }
    result.pieces += static_cast<unsigned>(pieces.size());
    for (std::size_t n = 0; n != pieces.size(); ++n) {
      if (divider.prove(*pieces[n])) {
        ++result.proven;
      } else {
        seen[n].clear();
        for (std::size_t count = divider.read_again(*pieces[n], batch); count != 0; count = divider.read_again(*pieces[n], batch))
          keep(std::span(batch).first(count), seen[n]);
      }
      divider.count_frames(seen[n].size());
      result.outcome.frames.insert(result.outcome.frames.end(), seen[n].begin(), seen[n].end());
    }
    divider.finish();
  }
  Outcome rest;
  read_to_end(files, 64, rest);
  result.outcome.frames.insert(result.outcome.frames.end(), rest.frames.begin(), rest.frames.end());
  result.outcome.damaged = rest.damaged;
  result.outcome.what = rest.what;
  EXPECT_EQ(files.files()[0].frames, result.outcome.frames.size());
  return result;
}

Outcome whole(const std::string& path) {
  Outcome outcome;
  FileSequence files({path});
  read_to_end(files, 64, outcome);
  return outcome;
}

Bytes some_pcap(Order order, std::uint32_t magic, unsigned frames = 200) {
  PcapFile file(order, magic);
  for (unsigned n = 0; n != frames; ++n) file.add(1'700'000'000 + n, n, payload(60 + n % 90, n), 60 + n % 90);
  return file.out.bytes;
}

Bytes some_pcapng(Order order, unsigned frames = 200) {
  PcapngFile file(order);
  file.section().interface(1);
  for (unsigned n = 0; n != frames; ++n) file.enhanced(0, 1'700'000'000'000'000 + n, payload(60 + n % 90, n), 60 + n % 90);
  return file.out.bytes;
}

TEST(Divider, FindsTheRecordsOfOrdinaryFilesFromAnyPlace) {
  const TemporaryDirectory folder;
  for (const Order order : {Order::kLittle, Order::kBig}) {
    for (const Bytes& bytes :
         {some_pcap(order, 0xa1b2c3d4), some_pcap(order, 0xa1b23c4d), some_pcap(order, 0xa1b2cd34), some_pcapng(order)}) {
      const std::string path = folder.write("a.cap", bytes);
      for (const std::uint64_t size : {1'000U, 1'001U, 3'333U}) {
        const Divided result = divided(path, size);
        EXPECT_EQ(result.outcome, whole(path));
        EXPECT_GT(result.pieces, 5U);
        EXPECT_GE(result.proven + 1, result.pieces) << "guessed right each time; no record may begin in the last";
      }
    }
  }
}

TEST(Divider, BearsPiecesSmallerThanARecord) {
  const TemporaryDirectory folder;
  for (const Bytes& bytes : {some_pcap(Order::kLittle, 0xa1b2c3d4, 30), some_pcapng(Order::kBig, 30)}) {
    const std::string path = folder.write("a.cap", bytes);
    for (const std::uint64_t size : {1U, 17U, 64U}) EXPECT_EQ(divided(path, size).outcome, whole(path)) << "pieces of " << size;
  }
}

TEST(Divider, DoesNotBelieveRecordsWithinPayload) {
  const TemporaryDirectory folder;
  for (const bool pcapng : {false, true}) {
    const Bytes inner = pcapng ? some_pcapng(Order::kLittle, 8) : some_pcap(Order::kLittle, 0xa1b2c3d4, 8);
    PcapFile classic(Order::kLittle, 0xa1b2c3d4);
    PcapngFile blocks;
    blocks.section().interface(1);
    for (unsigned n = 0; n != 60; ++n) {
      classic.add(1'700'000'000 + n, n, inner, static_cast<std::uint32_t>(inner.size()));
      blocks.enhanced(0, 1'700'000'000'000'000 + n, inner, static_cast<std::uint32_t>(inner.size()));
    }
    const std::string path = folder.write("a.cap", pcapng ? blocks.out.bytes : classic.out.bytes);
    const Divided result = divided(path, 1'500);
    EXPECT_EQ(result.outcome, whole(path));
    EXPECT_LT(result.proven, result.pieces) << "some were guessed within the payload, and found out";
  }
}

TEST(Divider, ReadsAgainWhereInterfacesAreDescribedOrDropsAreTold) {
  const TemporaryDirectory folder;
  PcapngFile file;
  file.section().interface(1);
  for (unsigned n = 0; n != 200; ++n) {
    if (n == 100) file.interface(101);
    if (n == 150) file.section().interface(113);
    const Bytes drops = n % 90 == 0 ? file.option64(4, 3) : Bytes{};
    file.enhanced(n >= 100 && n < 150 ? 1 : 0, 1'700'000'000'000'000 + n, payload(80, n), 80, drops);
    if (n % 40 == 0) file.simple(payload(20, n), 20);
  }
  const std::string path = folder.write("a.pcapng", file.out.bytes);
  for (const std::uint64_t size : {500U, 2'000U}) {
    const Divided result = divided(path, size);
    EXPECT_EQ(result.outcome, whole(path));
    EXPECT_LT(result.proven, result.pieces);
    EXPECT_GT(result.proven, 0U);
  }
}

TEST(Divider, SaysOfDamageWhatIsSaidOfTheWholeFile) {
  const TemporaryDirectory folder;
  std::mt19937 random(2);
  for (const Bytes& intact : {some_pcap(Order::kLittle, 0xa1b2c3d4), some_pcapng(Order::kLittle)}) {
    for (int n = 0; n != 60; ++n) {
      Bytes bytes = intact;
      const std::size_t at = 100 + random() % (bytes.size() - 200);
      if (n % 3 == 0) bytes.resize(at);
      if (n % 3 == 1) bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.begin() + static_cast<std::ptrdiff_t>(at + 13));
      if (n % 3 == 2) std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), 40, std::uint8_t{0xff});
      const std::string path = folder.write("a.cap", bytes);
      EXPECT_EQ(divided(path, 1'000).outcome, whole(path));
    }
  }
}

TEST(Divider, LeavesSmallFilesAndOthersReadersAlone) {
  const TemporaryDirectory folder;
  FileSequence small({folder.write("a.pcap", some_pcap(Order::kLittle, 0xa1b2c3d4, 3))});
  EXPECT_FALSE(Divider(small).begin());
  FileSequence nothing({folder.write("b.pcap", some_pcap(Order::kLittle, 0xa1b2c3d4, 0))});
  EXPECT_FALSE(Divider(nothing, 1).begin());
}

}  // namespace
}  // namespace finwait::capture
