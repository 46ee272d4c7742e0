#include "finwait/capture/live_source.h"

#include <gtest/gtest.h>

#include <string>

#include "finwait/capture/error.h"

// What needs no interface and no privilege; tests/live has the rest.
namespace finwait::capture {
namespace {

std::string refusal(const std::string& interface, CaptureMethod method) {
  LiveOptions options;
  options.interfaces = {interface};
  options.method = method;
  try {
    (void)open_live(options);
  } catch (const CaptureError& e) {
    return e.what();
  }
  return "";
}

TEST(OpenLive, RefusesInOneLineThatBeginsWithTheInterface) {
  for (const std::string interface : {"any", "nosuch0", "lo"}) {
    const std::string line = refusal(interface, CaptureMethod::kXdp);
    EXPECT_TRUE(line.starts_with(interface + ": ")) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  }
}

TEST(OpenLive, WithoutLibxdpSaysWhatToDo) {
  if (has_xdp()) GTEST_SKIP() << "libxdp is there";
  EXPECT_EQ(refusal("lo", CaptureMethod::kXdp),
            "lo: this finwait was built without libxdp: leave --capture-method xdp out, or build it with libxdp-dev and libbpf-dev");
}

TEST(OpenLive, ByXdpIsForInterfacesThatAreNamed) {
  if (!has_xdp()) GTEST_SKIP() << "libxdp was not there at the build";
  EXPECT_EQ(refusal("any", CaptureMethod::kXdp), "any: XDP takes the packets of interfaces that are named; leave --capture-method xdp out");
  EXPECT_EQ(refusal("nosuch0", CaptureMethod::kXdp), "nosuch0: no such interface; finwait -D lists them");
}

TEST(OpenLive, ByXdpNeverTakesTheLoopback) {
  if (!has_xdp()) GTEST_SKIP() << "libxdp was not there at the build";
  EXPECT_EQ(refusal("lo", CaptureMethod::kXdp), "lo: XDP is for Ethernet; leave --capture-method xdp out");
}

}  // namespace
}  // namespace finwait::capture
