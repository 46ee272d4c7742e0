#include "options.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <limits>
#include <new>
#include <set>
#include <sstream>

#include "finwait/engine/evidence_writer.h"
#include "thresholds.h"
#include "values.h"

namespace finwait::app {
namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

po::options_description input_options() {
  po::options_description text("Input", 80, 50);
  // clang-format off
  text.add_options()
    ("read,r", po::value<Words>()->value_name("FILE")->composing(), "capture to read (pcap, pcapng; '-': standard input); may be repeated; words after it that are names of files are captures too")
    ("interface,i", po::value<Words>()->value_name("INTERFACE")->composing(), "capture live on it (a name, a number of -D, or any); may be repeated")
    ("buffer-size,B", po::value<std::string>()->value_name("KIB"), "live: room for packets that wait, for each interface (32768)")
    ("capture-method", po::value<std::string>()->value_name("METHOD"), "live: ring (default), or xdp: packets received are TAKEN AWAY from this host; only for an interface that receives nothing but a mirror")
    ("no-promiscuous-mode,p", "live: do not ask the interface for packets that are not for this host")
    ("filter-file,F", po::value<std::string>()->value_name("FILE"), "read the filter expression from FILE")
    ("count,c", po::value<std::string>()->value_name("N"), "stop after N packets that the filter selects")
    ("snapshot-length,s", po::value<std::string>()->value_name("BYTES"), "look at no more than BYTES of each packet (0: all)")
    ("from", po::value<std::string>()->value_name("TIME"), "only packets at or after TIME (2024-02-29T12:00:00Z, or seconds since 1970)")
    ("to", po::value<std::string>()->value_name("TIME"), "only packets at or before TIME")
    ("checksums", po::value<std::string>()->value_name("HOW"), "bad checksums: count (default), verify (leave the segment out), ignore")
    ("metrics", po::value<std::string>()->value_name("ADDRESS:PORT"), "live: answer Prometheus there, at /metrics (PORT alone: on the loopback)")
    ("user", po::value<std::string>()->value_name("NAME"), "live, as root: whom to become once the interfaces are open (who called sudo, else nobody)")
    ("no-sandbox", "live: keep root, all capabilities and system calls")
    ("list-interfaces,D", "list the interfaces one can capture on");
  // clang-format on
  return text;
}

po::options_description output_options() {
  po::options_description text("Output", 80, 50);
  // clang-format off
  text.add_options()
    ("output,o", po::value<Words>()->value_name("FORMAT[=PATH]")->composing(), "summary (default), json, events, zeek, zeek-json, eve; may be repeated; without PATH to standard output")
    ("rotate-size", po::value<std::string>()->value_name("SIZE"), "begin another file before one grows beyond SIZE; the PATH of -o, live that of -w too, is a pattern for strftime(3), in UTC, and numbers are added where names repeat")
    ("rotate-every", po::value<std::string>()->value_name("TIME"), "begin another file at each full TIME (1h: at each hour, UTC), by the packets' clock; PATH as above")
    ("write,w", po::value<std::string>()->value_name("FILE"), "write the packets of the connections selected by --only, or of all, to a pcapng ('-': standard output), anomalies as comments")
    ("explain", po::value<std::string>()->value_name("ID"), "one connection as a ladder; ID is an id, a uid or ADDR:PORT-ADDR:PORT")
    ("describe", po::value<std::string>()->value_name("KIND"), "what an opening, ending, anomaly or finding about a host means")
    ("only", po::value<Words>()->value_name("KIND[,KIND]")->composing(), "only connections with one of these openings, endings or anomalies; of hosts, only these findings")
    ("local-nets", po::value<std::string>()->value_name("NET[,NET]"), "which addresses are ours, for local_orig and local_resp (default: private and special ones)")
    ("fail-on", po::value<std::string>()->value_name("SEVERITY"), "exit 3 if there is an anomaly at or above info, notice, warning or alert")
    ("counters", po::value<std::string>()->value_name("TIME"), "live: the counters on standard error, so often (without a terminal: 60s; 0: never)")
    ("stats", "at the end, on standard error: counts and speed")
    ("progress", "show how far it has come, on standard error (default on a terminal)")
    ("quiet,q", "on standard error only errors")
    ("verbose,v", "more examples in the summary")
    ("numeric,n", "accepted for habit's sake: names are never resolved");
  // clang-format on
  return text;
}

po::options_description limit_options() {
  po::options_description text("Timers and limits (durations: 30, 30s, 500ms, 2m)", 80, 50);
  // clang-format off
  text.add_options()
    ("msl", po::value<std::string>()->value_name("TIME"), "maximum segment lifetime (30s)")
    ("syn-timeout", po::value<std::string>()->value_name("TIME"), "SYN without answer is given up (130s)")
    ("syn-ack-timeout", po::value<std::string>()->value_name("TIME"), "SYN-ACK without ACK is given up (65s)")
    ("closing-timeout", po::value<std::string>()->value_name("TIME"), "close without its last ACK is given up (130s)")
    ("idle", po::value<std::string>()->value_name("TIME"), "silent connection is given up (0: never)")
    ("lingering", po::value<std::string>()->value_name("TIME"), "CLOSE-WAIT or FIN-WAIT-2 that long is an anomaly (60s)")
    ("threshold", po::value<Words>()->value_name("NAME=VALUE")->composing(), "from where on something is reported: a count, a share (0.02 or 2%) or a duration; may be repeated; names: finwait(1)")
    ("max-connections", po::value<std::string>()->value_name("N"), "connections remembered at once (default: by memory)")
    ("threads,t", po::value<std::string>()->value_name("N"), "analysis threads (default: as many as help; live: one); the output is the same with any number")
    ("memory", po::value<std::string>()->value_name("SIZE"), "memory used at most (default: room for connections in a quarter of the machine's)")
    ("seed", po::value<std::string>()->value_name("N"), "fixed key of the table, for repeatable runs when room is short");
  // clang-format on
  return text;
}

po::options_description general_options() {
  po::options_description text("General", 80, 50);
  text.add_options()("help,h", "this text")("version", "the version");
  return text;
}

/// Runs a parser of values; its complaint names the option.
template <class F>
auto value_of(const po::variables_map& map, const char* name, F&& parse) {
  try {
    return parse(map[name].as<std::string>());
  } catch (const std::invalid_argument& e) {
    throw UsageError(std::string("--") + name + " " + map[name].as<std::string>() + ": " + e.what());
  }
}

void take_write(const po::variables_map& map, Options& options) {
  if (map.count("write") == 0) return;
  options.write = map["write"].as<std::string>();
  if (options.write.empty()) throw UsageError("-w: the path is empty");
  if (!options.explain.empty()) throw UsageError("--explain shows one connection: leave -w out");
  const std::string once = engine::not_readable_twice(options.captures);
  if (once.empty()) return;
  throw UsageError("-w reads the input twice, and " + (once == "-" ? "standard input" : once) +
                   " can be read only once: save it to a file first");
}

void take_outputs(const po::variables_map& map, Options& options) {
  static const std::set<std::string> kFormats{"summary", "json", "events", "zeek", "zeek-json", "eve"};
  if (map.count("output") == 0) return;
  std::set<std::string> paths;
  if (map.count("explain") != 0) paths.insert("-");  // the ladder's place
  if (!options.write.empty()) paths.insert(options.write);
  for (const std::string& word : map["output"].as<Words>()) {
    const std::size_t equals = word.find('=');
    OutputChoice choice{word.substr(0, equals), equals == std::string::npos ? "-" : word.substr(equals + 1)};
    if (kFormats.count(choice.format) == 0)
      throw UsageError("-o " + word + ": no such format; there are summary, json, events, zeek, zeek-json and eve");
    if (choice.path.empty()) throw UsageError("-o " + word + ": the path is empty");
    if (!paths.insert(choice.path).second) {
      throw UsageError("-o " + word + ": two outputs to " + (choice.path == "-" ? "standard output" : choice.path) +
                       "; give one of them a path: -o FORMAT=PATH");
    }
    options.outputs.push_back(choice);
  }
}

void take_rotation(const po::variables_map& map, Options& options) {
  if (map.count("rotate-size") != 0) {
    options.rotation.bytes = value_of(map, "rotate-size", parse_size);
    if (options.rotation.bytes == 0) throw UsageError("--rotate-size 0: no line fits into that");
  }
  if (map.count("rotate-every") != 0) {
    options.rotation.every = value_of(map, "rotate-every", parse_duration);
    if (options.rotation.every < base::kSecond || options.rotation.every % base::kSecond != 0)
      throw UsageError("--rotate-every " + map["rotate-every"].as<std::string>() + ": whole seconds, at least one");
  }
  const auto has_path = [](const OutputChoice& choice) { return choice.path != "-"; };
  const bool captured = !options.interfaces.empty() && !options.write.empty() && options.write != "-";
  if (options.rotation.any() && !captured && std::none_of(options.outputs.begin(), options.outputs.end(), has_path))
    throw UsageError("--rotate-size and --rotate-every need a file to change: -o FORMAT=PATH");
}

void take_only(const po::variables_map& map, Options& options) {
  if (map.count("only") == 0) return;
  for (const std::string& list : map["only"].as<Words>()) {
    for (const std::string& kind : split(list, ',')) {
      if (!options.only.add(kind)) throw UsageError("--only " + kind + ": no such kind. There are\n" + report::known_kinds());
      options.only_words += (options.only_words.empty() ? "" : ", ") + kind;
    }
  }
  if (options.only.everything()) throw UsageError("--only: name at least one kind. There are\n" + report::known_kinds());
}

void take_timers(const po::variables_map& map, tcp::Timers& timers) {
  const auto take = [&map](const char* name, base::Duration& timer) {
    if (map.count(name) != 0) timer = value_of(map, name, parse_duration);
  };
  take("msl", timers.msl);
  take("syn-timeout", timers.syn_unanswered);
  take("syn-ack-timeout", timers.syn_ack_unanswered);
  take("closing-timeout", timers.closing);
  take("idle", timers.idle);
  take("lingering", timers.lingering);
}

void take_thresholds(const po::variables_map& map, Options& options) {
  if (map.count("threshold") == 0) return;
  Thresholds thresholds;
  for (const std::string& word : map["threshold"].as<Words>()) {
    try {
      set_threshold(thresholds, word);
    } catch (const std::invalid_argument& e) {
      throw UsageError("--threshold " + word + ": " + e.what());
    }
  }
  options.pipeline.tracker.timers.thresholds = thresholds.tcp;
  options.host_thresholds = thresholds.hosts;
}

void take_limits(const po::variables_map& map, Options& options) {
  const auto count = [](std::uint64_t least) { return [least](const std::string& word) { return parse_count(word, least); }; };
  if (map.count("count") != 0) options.pipeline.frame_limit = value_of(map, "count", count(1));
  if (map.count("snapshot-length") != 0) {
    const std::uint64_t bytes = value_of(map, "snapshot-length", count(0));
    if (bytes != 0) options.pipeline.snapshot_length = static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, 0xffff'ffff));
  }
  if (map.count("from") != 0) options.pipeline.from = value_of(map, "from", parse_time);
  if (map.count("to") != 0) options.pipeline.to = value_of(map, "to", parse_time);
  if (options.pipeline.from > options.pipeline.to) throw UsageError("--from is after --to: nothing lies between");
  if (map.count("seed") != 0) options.seed = value_of(map, "seed", count(0));
  if (map.count("memory") != 0) options.memory = value_of(map, "memory", parse_size);
  if (map.count("threads") != 0) {
    constexpr std::uint64_t kMost = 256;
    const std::uint64_t threads = value_of(map, "threads", count(1));
    if (threads > kMost) throw UsageError("--threads: at most " + std::to_string(kMost));
    options.threads = static_cast<unsigned>(threads);
  }
  if (map.count("max-connections") != 0) {
    constexpr std::uint64_t kMost = 1U << 28;
    const std::uint64_t most = value_of(map, "max-connections", count(1));
    if (most > kMost) throw UsageError("--max-connections: at most " + std::to_string(kMost));
    options.max_connections = static_cast<std::uint32_t>(most);
  }
}

capture::CaptureMethod parse_capture_method(const std::string& word) {
  if (word == "ring") return capture::CaptureMethod::kRing;
  if (word == "xdp") return capture::CaptureMethod::kXdp;
  throw std::invalid_argument("there are ring and xdp");
}

void take_live(const po::variables_map& map, Options& options) {
  if (map.count("interface") != 0) options.interfaces = map["interface"].as<Words>();
  options.promiscuous = map.count("no-promiscuous-mode") == 0;
  if (map.count("buffer-size") != 0) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 31U;  // KiB
    const std::uint64_t kib = value_of(map, "buffer-size", [](const std::string& word) { return parse_count(word, 8); });
    if (kib > kMost) throw UsageError("--buffer-size: at most " + std::to_string(kMost) + " KiB");
    options.buffer = kib << 10U;
  }
  if (map.count("capture-method") != 0) options.capture_method = value_of(map, "capture-method", parse_capture_method);
  options.sandbox = map.count("no-sandbox") == 0;
  if (map.count("user") != 0) options.user = map["user"].as<std::string>();
  if (!options.sandbox && !options.user.empty())
    throw UsageError("--no-sandbox stays root, --user becomes somebody else: give one of them");
  if (map.count("metrics") != 0) options.metrics = value_of(map, "metrics", service::parse_metrics_address);
  if (map.count("counters") != 0) options.counters = value_of(map, "counters", parse_duration);
  if (options.interfaces.empty()) {
    for (const char* name : {"buffer-size", "capture-method", "no-promiscuous-mode", "counters", "user", "no-sandbox", "metrics"}) {
      if (map.count(name) != 0) throw UsageError(std::string("--") + name + " is for a live capture: name an interface with -i");
    }
    return;
  }
  if (!options.captures.empty()) throw UsageError("-i captures live, -r reads a file: give one of them");
  if (!options.explain.empty()) throw UsageError("--explain reads a capture: write the packets with tcpdump -w and read that file");
}

void take_rest(const po::variables_map& map, Options& options) {
  options.stats = map.count("stats") != 0;
  options.quiet = map.count("quiet") != 0;
  options.verbose = map.count("verbose") != 0;
  if (map.count("progress") != 0) options.progress = true;
  if (options.quiet) options.progress = false;
  if (map.count("local-nets") != 0) {
    options.local_nets = value_of(map, "local-nets", [](const std::string& list) { return report::LocalNets(list); });
  }
  if (map.count("fail-on") != 0) {
    options.fail_on = tcp::severity(map["fail-on"].as<std::string>());
    if (!options.fail_on) throw UsageError("--fail-on " + map["fail-on"].as<std::string>() + ": there are info, notice, warning and alert");
  }
  if (map.count("checksums") != 0) {
    const auto& how = map["checksums"].as<std::string>();
    if (how == "count") {
      options.pipeline.decode.checksums = wire::Checksums::kCount;
    } else if (how == "verify") {
      options.pipeline.decode.checksums = wire::Checksums::kVerify;
    } else if (how == "ignore") {
      options.pipeline.decode.checksums = wire::Checksums::kIgnore;
    } else {
      throw UsageError("--checksums " + how + ": there are count, verify and ignore");
    }
  }
}

/// The words after the options: names of files are captures too, up to the first word that is none; the rest is the filter.
void take_words(const po::variables_map& map, Options& options) {
  if (map.count("read") != 0) options.captures = map["read"].as<Words>();
  const Words words = map.count("words") != 0 ? map["words"].as<Words>() : Words{};
  auto word = words.begin();
  if (!options.captures.empty()) {
    for (std::error_code ignored; word != words.end() && std::filesystem::exists(*word, ignored); ++word) options.captures.push_back(*word);
  }
  for (; word != words.end(); ++word) options.filter += (options.filter.empty() ? "" : " ") + *word;
  if (map.count("filter-file") != 0) {
    const auto& path = map["filter-file"].as<std::string>();
    if (!options.filter.empty()) throw UsageError("there is a filter on the command line and one in " + path + " (-F): give one of them");
    std::ifstream in(path);
    if (!in) {
      if (errno == ENOMEM) throw std::bad_alloc();
      throw std::runtime_error(path + ": the filter cannot be read: no such file, or no permission");
    }
    options.filter.assign(std::istreambuf_iterator<char>(in), {});
  }
}

po::variables_map parse(int argc, const char* const* argv) {
  po::options_description all;
  all.add(input_options()).add(output_options()).add(limit_options()).add(general_options());
  all.add_options()("words", po::value<Words>());
  po::positional_options_description words;
  words.add("words", -1);
  po::variables_map map;
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  po::store(po::command_line_parser(argc, argv).options(all).positional(words).style(style).run(), map);
  po::notify(map);
  return map;
}

}  // namespace

Options parse_options(int argc, const char* const* argv) {
  po::variables_map map;
  try {
    map = parse(argc, argv);
  } catch (const po::error& e) {
    throw UsageError(e.what());
  }
  Options options;
  if (map.count("help") != 0) options.task = Task::kHelp;
  if (map.count("version") != 0) options.task = Task::kVersion;
  if (map.count("list-interfaces") != 0) options.task = Task::kListInterfaces;
  if (map.count("describe") != 0) {
    options.task = Task::kDescribe;
    options.describe = map["describe"].as<std::string>();
  }
  take_words(map, options);
  if (map.count("explain") != 0) options.explain = map["explain"].as<std::string>();
  take_live(map, options);
  take_write(map, options);
  take_outputs(map, options);
  take_rotation(map, options);
  take_only(map, options);
  take_timers(map, options.pipeline.tracker.timers);
  take_thresholds(map, options);
  take_limits(map, options);
  take_rest(map, options);
  if (!options.explain.empty() && !options.only.everything()) throw UsageError("--explain shows one connection: leave --only out");
  if (options.task == Task::kAnalyse && options.captures.empty() && options.interfaces.empty())
    throw UsageError("no capture given: finwait -r FILE, finwait -i INTERFACE, or finwait --help");
  return options;
}

std::string help_text() {
  std::ostringstream out;
  out.exceptions(std::ios::badbit | std::ios::failbit);  // else a help with holes in it when memory is short
  out << "finwait reads captures, or listens on interfaces, and tells how every TCP\nconnection opened, lived and ended.\n\n"
         "usage: finwait [options] -r FILE... [filter expression]\n"
         "       finwait [options] -i INTERFACE... [filter expression]\n"
         "       finwait --describe KIND\n"
         "       finwait -D\n\n"
         "The filter is libpcap's (see pcap-filter(7)) and stands after the options.\n\n"
      << input_options() << '\n'
      << output_options() << '\n'
      << limit_options() << '\n'
      << general_options()
      << "\nExit status: 0 done, 1 could not read or write (after reporting what was read),\n2 bad usage, 3 --fail-on.\n";
  return out.str();
}

}  // namespace finwait::app
