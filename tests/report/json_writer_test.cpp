#include "finwait/report/json_writer.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace finwait::report {
namespace {

std::string escaped(std::string_view value) {
  Text text;
  JsonWriter(text).string<"k">(value);
  std::string result(text.view());
  return result.substr(5, result.size() - 7);  // between "k":" and ",
}

TEST(JsonWriter, writes_nested_objects_and_lists_without_stray_commas) {
  Text text;
  JsonWriter json(text);
  json.begin();
  json.number<"n">(1);
  json.begin<"empty">();
  json.end();
  json.begin_list<"none">();
  json.end_list();
  json.begin_list<"list">();
  json.item(1);
  json.item_word("two");
  json.begin();
  json.boolean<"three">(true);
  json.end();
  json.end_list();
  json.end_line();
  EXPECT_EQ(text.view(), "{\"n\":1,\"empty\":{},\"none\":[],\"list\":[1,\"two\",{\"three\":true}]}\n");
}

TEST(JsonWriter, writes_numbers_of_every_size) {
  Text text;
  JsonWriter json(text);
  json.begin();
  json.number<"least">(std::numeric_limits<std::int64_t>::min());
  json.number<"most">(std::numeric_limits<std::uint64_t>::max());
  json.real<"real">(0.092489, 6);
  json.end_line();
  EXPECT_EQ(text.view(), "{\"least\":-9223372036854775808,\"most\":18446744073709551615,\"real\":0.092489}\n");
}

TEST(JsonWriter, escapes_what_rfc_8259_wants_escaped) {
  EXPECT_EQ(escaped("plain /path"), "plain /path");
  EXPECT_EQ(escaped("a\"b\\c"), "a\\\"b\\\\c");
  EXPECT_EQ(escaped(std::string_view("\n\t\0\x1f", 4)), "\\u000a\\u0009\\u0000\\u001f");
}

TEST(JsonWriter, keeps_utf8_and_replaces_what_is_none) {
  EXPECT_EQ(escaped("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"), "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(escaped("\xff"), "\\ufffd");
  EXPECT_EQ(escaped("\xc3"), "\\ufffd") << "cut short";
  EXPECT_EQ(escaped("\xc0\xaf"), "\\ufffd\\ufffd") << "overlong";
  EXPECT_EQ(escaped("\xed\xa0\x80"), "\\ufffd\\ufffd\\ufffd") << "a surrogate";
  EXPECT_EQ(escaped("\xf4\x90\x80\x80"), "\\ufffd\\ufffd\\ufffd\\ufffd") << "beyond U+10FFFF";
}

TEST(Text, grows_and_keeps_what_it_has) {
  Text text;
  std::string wanted;
  for (int n = 0; n < 5000; ++n) {
    text.number(n);
    text.put(' ');
    wanted += std::to_string(n) + " ";
  }
  EXPECT_EQ(text.view(), wanted);
  text.clear();
  EXPECT_EQ(text.size(), 0U);
}

}  // namespace
}  // namespace finwait::report
