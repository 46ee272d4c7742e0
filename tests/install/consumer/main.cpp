// What the README promises a user of the library: decode a frame, open a capture, and hear in words why one cannot be opened.
#include <finwait/capture/error.h>
#include <finwait/capture/source.h>
#include <finwait/wire/decode.h>

#include <cstdio>
#include <string_view>

int main() {
  finwait::wire::Segment segment;
  const auto fate = finwait::wire::decode(finwait::wire::FrameView{}, finwait::wire::DecodeOptions{}, segment);
  try {
    (void)finwait::capture::open_file("no-such-file.pcap");
    return 1;
  } catch (const finwait::capture::CaptureError& error) {
    std::printf("%s; %s\n", finwait::wire::fate_name(fate), error.what());
    return std::string_view(error.what()).find("no-such-file.pcap") == std::string_view::npos ? 1 : 0;
  }
}
