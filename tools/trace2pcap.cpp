// trace2pcap: turns traces (tests/traces/README.md) into one capture file with real bytes and right checksums.
//
// Each trace becomes a conversation between addresses of its own, and begins --gap seconds after the one before; the frames stand in the
// order of time. Where a trace lets the clock move on without a packet, an ARP request stands in.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "finwait/capture/pcap_writer.h"
#include "finwait/capture/pcapng_writer.h"
#include "support/trace.h"
#include "support/trace_frames.h"

namespace {

using namespace finwait;

struct Options {
  std::string output;
  std::vector<std::string> traces;
  double gap = 0.5;
  double start = 1'700'000'000;
  std::uint32_t network = 1;
  bool ipv6 = false;
  bool alternate = false;
  bool pcapng = false;
  std::uint32_t snaplen = 262144;
};

struct Made {
  base::Timestamp time = 0;
  std::uint32_t length = 0;
  std::vector<std::uint8_t> bytes;
  std::string comment;
};

[[noreturn]] void usage(const char* why) {
  std::fprintf(stderr,
               "trace2pcap: %s\n"
               "usage: trace2pcap -o FILE [options] TRACE...\n"
               "  -o FILE        the capture to write; .pcapng in its name makes it pcapng, with the trace's title at its first frame\n"
               "  --gap S        seconds from the start of one trace to the start of the next (0.5)\n"
               "  --start S      when the first begins, seconds since 1970 (1700000000)\n"
               "  --network N    number of the first trace's addresses, counted up (1)\n"
               "  --ipv6         all over IPv6; --alternate: every other one\n"
               "  --snaplen N    bytes kept of a frame\n",
               why);
  std::exit(2);
}

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 >= argc) usage((a + " needs a value").c_str());
      return argv[++i];
    };
    if (a == "-o")
      o.output = value();
    else if (a == "--gap")
      o.gap = std::stod(value());
    else if (a == "--start")
      o.start = std::stod(value());
    else if (a == "--network")
      o.network = static_cast<std::uint32_t>(std::stoul(value()));
    else if (a == "--snaplen")
      o.snaplen = static_cast<std::uint32_t>(std::stoul(value()));
    else if (a == "--ipv6")
      o.ipv6 = true;
    else if (a == "--alternate")
      o.alternate = true;
    else if (a.starts_with('-'))
      usage(("unknown option " + a).c_str());
    else
      o.traces.push_back(a);
  }
  if (o.output.empty()) usage("no output file (-o)");
  if (o.traces.empty()) usage("no traces");
  o.pcapng = o.output.ends_with(".pcapng");
  return o;
}

/// The frames of one trace; the initial sequence numbers are drawn from its number, so that they look like anybody's.
void make(const testing::Trace& trace, const Options& o, std::size_t n, std::vector<Made>& out) {
  testing::Addressing a;
  a.network = o.network + static_cast<std::uint32_t>(n);
  a.ipv6 = !trace.ipv4_only && (o.ipv6 || (o.alternate && n % 2 == 1));
  a.isn = {static_cast<std::uint32_t>(0x9e37'79b9U * (a.network + 1)), static_cast<std::uint32_t>(0x85eb'ca6bU * (a.network + 7))};
  a.originator_port = static_cast<std::uint16_t>(40000 + a.network % 20000);
  a.start = static_cast<base::Timestamp>((o.start + o.gap * static_cast<double>(n)) * 1e6) * 1000;
  bool first = true;
  for (const testing::TraceStep& step : trace.steps) {
    Made m;
    m.time = a.start + step.time;
    m.bytes = step.kind == testing::TraceStep::Kind::kAdvance ? testing::filler_bytes() : testing::frame_bytes(step, a);
    m.length = static_cast<std::uint32_t>(m.bytes.size());
    if (step.captured != 0) m.bytes.resize(std::min<std::size_t>(step.captured, m.bytes.size()));
    if (first) m.comment = trace.name + ": " + trace.title;
    first = false;
    out.push_back(std::move(m));
  }
}

template <class Write>
void write_all(const std::vector<Made>& frames, const Options& o, Write&& write) {
  for (const Made& m : frames) {
    capture::Frame f;
    f.data = m.bytes.data();
    f.captured = std::min(static_cast<std::uint32_t>(m.bytes.size()), o.snaplen);
    f.length = m.length;
    f.time = m.time;
    f.link_type = 1;
    write(f, m.comment);
  }
}

int run(const Options& o) {
  std::vector<Made> frames;
  for (std::size_t n = 0; n < o.traces.size(); ++n) make(testing::load_trace(o.traces[n]), o, n, frames);
  if (o.traces.size() > 1) {
    std::stable_sort(frames.begin(), frames.end(), [](const Made& x, const Made& y) { return x.time < y.time; });
  }
  if (o.pcapng) {
    capture::PcapngWriter writer(o.output, o.snaplen);
    write_all(frames, o, [&](const capture::Frame& f, const std::string& comment) { writer.write(f, comment); });
    writer.close();
  } else {
    capture::PcapWriter writer(o.output, 1, o.snaplen);
    write_all(frames, o, [&](const capture::Frame& f, const std::string&) { writer.write(f); });
    writer.close();
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "trace2pcap: %s\n", e.what());
    return 1;
  }
}
