#include "finwait/screen/frame.h"

#include <gtest/gtest.h>

namespace finwait::screen {
namespace {

TEST(Frame, HoldsWhatWasPutAndCutsOffTheRest) {
  Frame frame({3, 5});
  EXPECT_EQ(frame.put(0, 3, "abc"), 6);
  EXPECT_EQ(frame.put(1, -1, "xyz"), 2);
  frame.put(7, 0, "below");
  frame.put_right(2, 5, "12");
  EXPECT_EQ(frame.text(), "   ab\nyz\n   12\n");
}

TEST(Frame, CountsColumnsNotBytes) {
  Frame frame({1, 4});
  EXPECT_EQ(width("▼b/s"), 4);
  frame.put_right(0, 4, "▼b/s", Style::kStrong);
  EXPECT_EQ(frame.text(), "▼b/s\n");
  EXPECT_EQ(frame.at(0, 0), (Cell{U'▼', Style::kStrong}));
}

TEST(Frame, ShowsNoControlCharacter) {
  Frame frame({1, 8});
  frame.put(0, 0, "a\x1b[2Jb");
  EXPECT_EQ(frame.text(), "a?[2Jb\n");
}

TEST(Frame, PutsNoMoreThanItIsAllowed) {
  Frame frame({1, 8});
  EXPECT_EQ(frame.put(0, 1, "abcdef", Style::kPlain, 3), 4);
  EXPECT_EQ(frame.text(), " abc\n");
}

TEST(Frame, MayBeOfNoSize) {
  Frame frame({0, 0});
  frame.put(0, 0, "x");
  frame.paint(0, Style::kBar);
  EXPECT_EQ(frame.text(), "");
}

}  // namespace
}  // namespace finwait::screen
