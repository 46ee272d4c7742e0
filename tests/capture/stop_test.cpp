#include "finwait/capture/stop.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "capture/compress.h"
#include "finwait/capture/file_sequence.h"

namespace finwait::capture {
namespace {

using testing::Bytes;
using testing::Order;
using testing::payload;
using testing::PcapFile;
using testing::PcapngFile;
using testing::TemporaryDirectory;

class Stop : public ::testing::Test {
 protected:
  ~Stop() override { withdraw_stop(); }
};

/// A pipe whose writer wrote `bytes` and keeps it open.
class OpenPipe {
 public:
  explicit OpenPipe(const Bytes& bytes) {
    if (::pipe(ends_) != 0 || ::write(ends_[1], bytes.data(), bytes.size()) < 0) std::abort();
  }
  OpenPipe(const OpenPipe&) = delete;
  OpenPipe& operator=(const OpenPipe&) = delete;
  ~OpenPipe() { ::close(ends_[1]); }

  [[nodiscard]] ByteWindow window() const {
    return ByteWindow(std::make_unique<DescriptorProvider>(ends_[0], DescriptorProvider::Ownership::kOwned));
  }

 private:
  int ends_[2] = {-1, -1};
};

Bytes one_frame_and_a_half() {
  PcapFile file(Order::kLittle, 0xa1b2c3d4);
  file.add(1, 0, payload(60), 60).add(2, 0, payload(60), 60);
  file.out.bytes.resize(file.out.bytes.size() - 30);
  return file.out.bytes;
}

Bytes one_block_and_a_half() {
  PcapngFile file;
  file.section().interface(1).enhanced(0, 1, payload(60), 60).enhanced(0, 2, payload(60), 60);
  file.out.bytes.resize(file.out.bytes.size() - 30);
  return file.out.bytes;
}

Bytes within_a_block_of_no_use() {
  PcapngFile file;
  file.section().interface(1).enhanced(0, 1, payload(60), 60).block(4, payload(100));
  file.out.bytes.resize(file.out.bytes.size() - 30);
  return file.out.bytes;
}

TEST_F(Stop, IsAskedForAndTakenBack) {
  EXPECT_FALSE(stop_requested());
  request_stop();
  EXPECT_TRUE(stop_requested());
  withdraw_stop();
  EXPECT_FALSE(stop_requested());
}

TEST_F(Stop, EndsTheWaitForBytesAndWhatItCutsOffIsNoDamage) {
  const Bytes plain = one_frame_and_a_half();
  for (const Bytes& bytes : {plain, one_block_and_a_half(), within_a_block_of_no_use(), testing::gzip(plain, Z_SYNC_FLUSH)}) {
    const OpenPipe pipe(bytes);
    const auto source = open_capture(pipe.window(), "pipe");
    std::vector<Frame> batch(8);
    ASSERT_EQ(source->read(batch), 1U);
    std::jthread stopper([] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      request_stop();
    });
    EXPECT_EQ(source->read(batch), 0U) << "the writer has not closed it";
    EXPECT_FALSE(source->status().damaged) << source->status().what;
    stopper.join();
    withdraw_stop();
  }
}

TEST_F(Stop, ComesFromASignalHandler) {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) { request_stop(); };
  ASSERT_EQ(::sigaction(SIGUSR2, &action, &before), 0);
  const OpenPipe pipe(one_frame_and_a_half());
  const auto source = open_capture(pipe.window(), "pipe");
  std::vector<Frame> batch(8);
  ASSERT_EQ(source->read(batch), 1U);
  std::jthread signaller([reader = ::pthread_self()] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ::pthread_kill(reader, SIGUSR2);
  });
  EXPECT_EQ(source->read(batch), 0U);
  EXPECT_FALSE(source->status().damaged) << source->status().what;
  signaller.join();
  ::sigaction(SIGUSR2, &before, nullptr);
}

TEST_F(Stop, EndsTheWaitForTheWriterOfAFifo) {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) { request_stop(); };
  ASSERT_EQ(::sigaction(SIGUSR2, &action, &before), 0);
  const TemporaryDirectory directory;
  const std::string fifo = directory.file("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::jthread signaller([reader = ::pthread_self()](const std::stop_token& enough) {
    while (!enough.stop_requested()) {  // one signal might come before the wait
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      ::pthread_kill(reader, SIGUSR2);
    }
  });
  FileSequence files({fifo});
  signaller.request_stop();
  signaller.join();
  std::vector<Frame> batch(8);
  EXPECT_EQ(files.read(batch), 0U);
  EXPECT_FALSE(files.status().damaged) << files.status().what;
  ::sigaction(SIGUSR2, &before, nullptr);
}

TEST_F(Stop, EndsAFileToo) {
  const TemporaryDirectory directory;
  PcapFile file(Order::kLittle, 0xa1b2c3d4);
  for (unsigned i = 0; i < 4000; ++i) file.add(i, 0, payload(500), 500);  // several buffers
  const auto source = open_file(directory.write("large", file.out.bytes));
  request_stop();
  testing::Outcome outcome;
  testing::read_to_end(*source, 64, outcome);
  EXPECT_LT(outcome.frames.size(), 4000U) << "only what was in memory already";
  EXPECT_FALSE(outcome.damaged) << outcome.what;
}

TEST_F(Stop, EndsASequenceBetweenFiles) {
  const TemporaryDirectory directory;
  PcapFile file(Order::kLittle, 0xa1b2c3d4);
  file.add(1, 0, payload(60), 60);
  const std::string first = directory.write("1", file.out.bytes);
  const std::string second = directory.write("2", file.out.bytes);
  FileSequence files({first, second});
  std::vector<Frame> batch(8);
  EXPECT_EQ(files.read(batch), 1U);
  request_stop();
  EXPECT_EQ(files.read(batch), 0U);
  EXPECT_FALSE(files.status().damaged) << files.status().what;
}

TEST_F(Stop, BeforeTheFirstByteIsAnEmptyInput) {
  const TemporaryDirectory directory;
  request_stop();
  FileSequence files({directory.write("1", one_frame_and_a_half()), directory.file("")});
  std::vector<Frame> batch(8);
  EXPECT_EQ(files.read(batch), 0U);
  EXPECT_FALSE(files.status().damaged) << files.status().what;
}

}  // namespace
}  // namespace finwait::capture
