// A peer for tools/compare: follows every TCP stream of a capture with libtins and says how many there were.
//
// Streams that were open before the capture are followed too; payload is dropped as it comes.
#include <tins/tcp_ip/stream_follower.h>
#include <tins/tins.h>

#include <cstdint>
#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: libtins_follow FILE\n");
    return 2;
  }
  try {
    std::uint64_t streams = 0;
    Tins::TCPIP::StreamFollower follower;
    follower.follow_partial_streams(true);
    follower.new_stream_callback([&streams](Tins::TCPIP::Stream& stream) {
      ++streams;
      stream.ignore_client_data();
      stream.ignore_server_data();
    });
    Tins::FileSniffer sniffer(argv[1]);
    sniffer.sniff_loop([&follower](Tins::Packet& packet) {
      follower.process_packet(packet);
      return true;
    });
    std::printf("%llu streams\n", static_cast<unsigned long long>(streams));
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "libtins_follow: %s\n", e.what());
    return 1;
  }
}
