#include "finwait/capture/interfaces.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace finwait::capture {
namespace {

TEST(ListInterfaces, EachHasANameOfItsOwnAndTheLoopbackIsMarked) {
  const std::vector<Interface> interfaces = list_interfaces();
  if (interfaces.empty()) GTEST_SKIP() << "nothing to capture on here";
  for (const Interface& interface : interfaces) {
    EXPECT_FALSE(interface.name.empty());
    EXPECT_EQ(std::count_if(interfaces.begin(), interfaces.end(), [&](const Interface& other) { return other.name == interface.name; }), 1);
    if (interface.name == "lo") {
      EXPECT_TRUE(interface.loopback);
    }
  }
}

}  // namespace
}  // namespace finwait::capture
