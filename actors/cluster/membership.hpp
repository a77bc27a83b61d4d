#pragma once

#include "messages/cluster.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <variant>

namespace rolecall {

struct membership_options {
  std::string cluster{"rolecall"}; ///< its name
  node_name node;
  std::uint64_t incarnation{0}; ///< another one after each start
  std::string version;          ///< of the program, as it is told to others
  std::string address;          ///< as in `node_hello`
  std::vector<std::string> peers;
  bool check_names{false}; ///< a node's name must be one of those in its certificate
  millis heartbeat_interval{500};
  millis heartbeat_timeout{3'000}; ///< whoever is silent for so long is gone
  millis hello_timeout{3'000};     ///< from the connection until the link is up
  millis reconnect_backoff{100};   ///< bound of the first wait, doubled by each further one
  millis max_reconnect_backoff{2'000};
  millis forget_after{600'000}; ///< addresses that were learnt and where nobody answers
  std::size_t max_nodes{1'000};
  std::uint64_t seed{0};
};

/// Who is in the cluster: whom to call, whom to let in, who is gone. The core of it; connections,
/// frames and the clock are somebody else's.
///
/// Both ends of a connection say hello. Each refuses a stranger: another protocol or cluster, a
/// name that is its own, or not in the certificate. Of the two the one with the smaller name says
/// welcome, so that there is one who decides if both have called each other; the other one says it
/// too, and with that the link is up. Each node calls every one that it knows of and has no link
/// with.
class membership {
public:
  using time_point = std::chrono::steady_clock::time_point;
  /// A connection, numbered by whoever makes it.
  using link_id = std::uint64_t;

  // -- what is to be done
  // ----------------------------------------------------------------------------
  struct dial {
    link_id link;
    std::string address;
  };
  struct say {
    link_id link;
    link_message message;
  };
  /// The other end is one of the cluster: it may say more than hello.
  struct trust {
    link_id link;
  };
  /// After what has been said is written.
  struct hang_up {
    link_id link;
  };
  struct came_up {
    link_id link;
    node_name node;
  };
  struct went_down {
    link_id link;
    node_name node;
    std::string why;
    bool expected; ///< it has said that it leaves
  };
  /// For the log. Refusals that repeat are told once.
  struct note {
    bool warning;
    std::string event;
    std::string node;    ///< may be empty
    std::string address; ///< of the other end
    std::string problem; ///< may be empty
  };
  using effect = std::variant<dial, say, trust, hang_up, came_up, went_down, note>;
  using effects = std::vector<effect>;

  explicit membership(membership_options options);

  // -- what happens
  // ----------------------------------------------------------------------------------
  /// Somebody has called; gives the number of the connection.
  link_id accepted(const std::string& remote, std::vector<std::string> certificate_names,
                   time_point now, effects& out);
  void dialed(link_id link, const std::string& remote, std::vector<std::string> certificate_names,
              time_point now, effects& out);
  void dial_failed(link_id link, const std::string& why, time_point now, effects& out);
  /// A message has come. Gives whether it is one for others than this: from a link that is up.
  bool heard(link_id link, const link_message& message, time_point now, effects& out);
  /// A part of a long message has come.
  void stirred(link_id link, time_point now);
  /// What has come is no message, or one that has no place here.
  void heard_nonsense(link_id link, const std::string& what, time_point now, effects& out);
  void closed(link_id link, const std::string& why, time_point now, effects& out);
  /// A connection was not let in before it could say anything.
  void turned_away(const std::string& remote, const std::string& why, time_point now, effects& out);
  void tick(time_point now, effects& out);
  /// The node takes nothing new from here on; everybody is told. `hang_up_all` ends the links.
  void leave(effects& out);
  void hang_up_all(effects& out);
  /// Where the node listens, once that is known.
  void listens_at(const std::string& address) { options_.address = address; }

  // -- what can be asked
  // -----------------------------------------------------------------------------
  const membership_options& options() const noexcept { return options_; }
  std::optional<link_id> link_of(const node_name& node) const;
  std::vector<link_id> up() const;
  /// The node at the other end of a link that is up.
  const node_name* node_of(link_id link) const;
  bool leaving(const node_name& node) const { return leaving_.contains(node); }
  std::uint64_t refused() const noexcept { return refused_; }
  /// State, problem, version and so on, of each node that there is a link with or should be.
  std::vector<std::pair<std::optional<link_id>, link_status>> status(time_point now) const;

private:
  enum class stage : std::uint8_t {
    dialing,
    greeting,  // no hello has come
    settling,  // the other one is to say welcome
    welcoming, // this one has said welcome
    up,
  };
  struct link {
    stage at{stage::greeting};
    std::string remote;
    std::string target; // the address that was called; empty: it called
    std::vector<std::string> certificate_names;
    node_hello hello;
    time_point since;
    time_point heard_at;
    micros round_trip{0};
  };
  /// An address where somebody should be.
  struct target {
    bool configured{false};
    std::optional<link_id> link; // under way
    node_name node;              // who answered there last
    bool self{false};            // that is this node itself
    std::uint32_t failures{0};   // in a row
    time_point next_try{};
    time_point failing_since{};
    std::string problem;
    bool refused{false}; // the problem is what one of the two has said
  };

  link_id open(link fresh);
  void say_hello(link_id id, effects& out);
  void greet(link_id id, link& l, const node_hello& hello, time_point now, effects& out);
  std::optional<node_refusal> objection(const link& l, const node_hello& hello) const;
  std::optional<link_id> other_link(link_id id) const;
  void decide(link_id id, link& l, time_point now, effects& out);
  void bring_up(link_id id, link& l, time_point now, effects& out);
  void refuse(link_id id, const node_refusal& why, time_point now, effects& out);
  void drop(link_id id, const std::string& why, time_point now, effects& out);
  void target_failed(const std::string& address, const std::string& why, bool refused,
                     time_point now, effects& out);
  void learn(const node_list& list, time_point now);
  void call_missing(time_point now, effects& out);
  node_list known_nodes() const;
  bool first_time(const std::string& key);

  membership_options options_;
  std::mt19937_64 chance_;
  link_id next_link_{1};
  std::map<link_id, link> links_;
  std::map<node_name, link_id> up_;
  std::map<std::string, target> targets_;
  std::map<node_name, std::uint64_t> connects_; // times that the link with it came up
  std::set<node_name> leaving_;
  std::set<std::string> told_; // what has been refused and logged
  std::deque<std::string> told_order_;
  std::uint64_t refused_{0};
  bool quitting_{false};
};

} // namespace rolecall
