#include "finwait/screen/keys.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "finwait/screen/draw.h"
#include "screen/sample.h"

namespace finwait::screen {
namespace {

constexpr int kRows = 19;

Ui on(Page page) {
  Ui ui;
  ui.page = page;
  return ui;
}
Ui after(Ui ui, std::initializer_list<int> keys) {
  const Model model = sample();
  for (const int key : keys) press(ui, key, model, kRows);
  return ui;
}

/// What each action must do: from where, and what then holds.
struct Expected {
  Ui from;
  std::function<bool(const Ui&)> then;
};

std::map<Action, Expected> expectations() {
  const auto page = [](Page p) { return [p](const Ui& ui) { return ui.page == p; }; };
  Ui middle = on(Page::kConnections);
  middle.selected = 10;
  Ui help = on(Page::kConnections);
  help.help = true;
  return {
      {Action::kShowOverview, {on(Page::kAnomalies), page(Page::kOverview)}},
      {Action::kShowBusiest, {on(Page::kOverview), page(Page::kBusiest)}},
      {Action::kShowSickest, {on(Page::kOverview), page(Page::kSickest)}},
      {Action::kShowConnections, {on(Page::kOverview), page(Page::kConnections)}},
      {Action::kShowAnomalies, {on(Page::kOverview), page(Page::kAnomalies)}},
      {Action::kNextPage, {on(Page::kAnomalies), page(Page::kOverview)}},
      {Action::kUp, {middle, [](const Ui& ui) { return ui.selected == 9; }}},
      {Action::kDown, {middle, [](const Ui& ui) { return ui.selected == 11; }}},
      {Action::kPageUp, {middle, [](const Ui& ui) { return ui.selected == 0; }}},
      {Action::kPageDown, {middle, [](const Ui& ui) { return ui.selected == 29; }}},
      {Action::kFirst, {middle, [](const Ui& ui) { return ui.selected == 0; }}},
      {Action::kLast, {middle, [](const Ui& ui) { return ui.selected == 29; }}},
      {Action::kOpen, {middle, [](const Ui& ui) { return ui.open && ui.open->id == 20; }}},  // the eleventh by bytes/s
      {Action::kBack, {help, [](const Ui& ui) { return !ui.help; }}},
      {Action::kSort, {middle, [](const Ui& ui) { return ui.sorted_by() == Sort::kBytes; }}},
      {Action::kReverse, {middle, [](const Ui& ui) { return ui.reverse; }}},
      {Action::kPause, {middle, [](const Ui& ui) { return ui.paused; }}},
      {Action::kFilter, {middle, [](const Ui& ui) { return ui.typing; }}},
      {Action::kHelp, {middle, [](const Ui& ui) { return ui.help; }}},
      {Action::kQuit, {middle, [](const Ui& ui) { return ui.quit; }}},
  };
}

TEST(Keys, EveryKeyDoesWhatItsRowSays) {
  const auto expected = expectations();
  std::set<Action> seen;
  for (const KeyRow& row : key_table()) {
    ASSERT_EQ(expected.count(row.action), 1U) << row.label;
    EXPECT_TRUE(seen.insert(row.action).second) << row.label << ": a second row";
    const Expected& e = expected.at(row.action);
    EXPECT_FALSE(e.then(e.from)) << row.label << ": nothing to be seen";
    for (const int key : row.keys) {
      if (key == 0) continue;
      EXPECT_TRUE(e.then(after(e.from, {key}))) << row.label << ", key " << key;
    }
  }
  EXPECT_EQ(seen.size(), expected.size());
}

TEST(Keys, NoKeyMeansTwoThingsAndOthersMeanNothing) {
  std::set<int> used;
  for (const KeyRow& row : key_table()) {
    for (const int key : row.keys) {
      if (key == 0) continue;
      EXPECT_TRUE(used.insert(key).second) << row.label;
    }
  }
  Ui before = on(Page::kConnections);
  before.selected = 3;
  for (int key = 0; key != 1'100; ++key) {
    if (used.count(key) != 0) continue;
    const Ui ui = after(before, {key});
    EXPECT_TRUE(ui.page == before.page && ui.selected == 3 && !ui.help && !ui.quit && !ui.typing && !ui.open && !ui.paused) << key;
  }
}

TEST(Keys, AFilterIsTypedAndTakenBack) {
  Ui ui = after(on(Page::kConnections), {'/', ':', '4', '4', '3', 'q'});
  EXPECT_TRUE(ui.typing);
  EXPECT_FALSE(ui.quit) << "while a filter is typed, keys are letters";
  EXPECT_EQ(ui.filter, ":443q");
  ui = after(ui, {key::kBackspace, key::kEnter});
  EXPECT_FALSE(ui.typing);
  EXPECT_EQ(ui.filter, ":443");
  EXPECT_EQ(arranged(sample(), ui).size(), 15U);
  EXPECT_EQ(after(ui, {key::kEscape}).filter, "");
  EXPECT_EQ(after(ui, {'/', key::kEscape}).filter, "");
}

TEST(Keys, AFilterFindsAddressesStatesAndAnomalies) {
  const Model model = sample();
  const auto count = [&](Page page, const std::string& filter) {
    Ui ui = on(page);
    ui.filter = filter;
    return arranged(model, ui).size();
  };
  EXPECT_EQ(count(Page::kConnections, "10.0.0.2"), 10U);
  EXPECT_EQ(count(Page::kConnections, "fin-wait-2"), 1U);
  EXPECT_EQ(count(Page::kConnections, "nobody"), 0U);
  EXPECT_EQ(count(Page::kBusiest, "10.0.7.1 >"), 1U);
  EXPECT_EQ(count(Page::kAnomalies, "RESET-"), 20U);
  EXPECT_EQ(count(Page::kAnomalies, "warning"), 10U);
  EXPECT_EQ(count(Page::kAnomalies, ":50003"), 1U);
}

TEST(Keys, ListsAreSortedTheMostFirstOrTheOtherWayRound) {
  const Model model = sample();
  Ui ui = on(Page::kBusiest);
  EXPECT_EQ(arranged(model, ui).front(), 29U);
  ui.reverse = true;
  EXPECT_EQ(arranged(model, ui).front(), 0U);
  ui = on(Page::kSickest);
  EXPECT_EQ(arranged(model, ui).front(), 5U) << "the one with trouble";
  ui = after(ui, {'s'});
  EXPECT_EQ(ui.sorted_by(), Sort::kRetransmitted);
  EXPECT_EQ(arranged(model, ui).front(), 4U);
  for (std::size_t n = 1; n != sorts(Page::kSickest).size(); ++n) ui = after(ui, {'s'});
  EXPECT_EQ(ui.sorted_by(), Sort::kTrouble) << "round and round";
}

TEST(Keys, APairOpensItsConnectionsAndAFindingItsConnection) {
  Ui ui = after(on(Page::kBusiest), {key::kEnter});
  EXPECT_EQ(ui.page, Page::kConnections);
  EXPECT_EQ(ui.filter, "10.0.30.1 > 192.0.2.1:443");
  ui = after(on(Page::kAnomalies), {key::kDown, key::kEnter});
  EXPECT_EQ(ui.searched, 99U);
  EXPECT_FALSE(after(ui, {key::kEscape}).searched.has_value());
}

TEST(Keys, ThePairsTextFindsItsConnections) {
  EXPECT_TRUE(matches(sample_view(1, 2, 80), "10.0.0.2 > 192.0.2.1:80"));
  EXPECT_FALSE(matches(sample_view(1, 2, 80), "10.0.0.2 > 192.0.2.1:81"));
}

TEST(Keys, ACloseupScrollsWithinItsLines) {
  Model model = sample();
  model.closeup = sample_closeup();
  Ui ui = on(Page::kConnections);
  ui.open = Ui::Open{7, 7};
  press(ui, 'G', model, 10);
  const int last = ui.scroll;
  EXPECT_GT(last, 0);
  press(ui, 'j', model, 10);
  EXPECT_EQ(ui.scroll, last);
  EXPECT_TRUE(ui.at_end) << "what comes is shown";
  for (int n = 0; n != 5; ++n) model.closeup->steps.push_back(model.closeup->steps.back());
  press(ui, 'k', model, 10);
  EXPECT_EQ(ui.scroll, last + 4);
  EXPECT_FALSE(ui.at_end);
  press(ui, 'g', model, 10);
  EXPECT_EQ(ui.scroll, 0);
  press(ui, key::kEscape, model, 10);
  EXPECT_FALSE(ui.open.has_value());
}

TEST(Keys, NothingFailsWhereThereIsNothing) {
  const Model empty;
  for (int page = 0; page != kPages; ++page) {
    for (const KeyRow& row : key_table()) {
      Ui ui = on(static_cast<Page>(page));
      press(ui, row.keys[0], empty, 0);
      EXPECT_GE(ui.selected, 0);
      EXPECT_FALSE(ui.open.has_value());
      EXPECT_EQ(draw(empty, ui, {24, 80}, {}).size(), (Size{24, 80}));
    }
  }
}

TEST(Keys, TheManualPageHasThemAll) {
  std::ostringstream page;
  page << std::ifstream(std::string(FINWAIT_SOURCE_DIR) + "/docs/finwait.1").rdbuf();
  std::string list;
  for (const KeyRow& row : key_table()) list += ".It " + std::string(row.label) + "\n" + std::string(row.help) + "\n";
  EXPECT_NE(page.str().find(list + ".El\n"), std::string::npos) << "it should say\n" << list;
}

}  // namespace
}  // namespace finwait::screen
