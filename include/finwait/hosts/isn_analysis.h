// From the samples of one host to a verdict: which machines it is, what the tests say, what it means, how far off a guess would be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "finwait/hosts/isn.h"
#include "finwait/hosts/isn_tests.h"

namespace finwait::hosts {

/// The slopes found among samples that share part of the 4-tuple.
struct GroupedFit {
  Grouping grouping;
  SlopeFit fit;
  std::size_t steps = 0;
};

/// All tests of one set of samples.
struct IsnEvidence {
  Repeats repeats;
  Crowd numbers;     ///< in one arc
  Crowd increments;  ///< all about the same
  SlopeFit overall;  ///< over all neighbours
  std::vector<GroupedFit> groups;
  BitTests bits;
  GcdTest gcd;
  LinearTest congruential;
  LinearTest rand48;
  LinearTest shift_register;
  double watson_p = 1;
  double watson_increments_p = 1;
  std::size_t tests = 0;  ///< p-values above

  /// The least p-value, corrected for their number: valid for the set as a whole.
  [[nodiscard]] double p() const noexcept;
};
[[nodiscard]] IsnEvidence weigh(const IsnSeries& series, bool listener);

/// What a host that is let go is let go by.
struct IsnWeight {
  double p = 1;           ///< IsnEvidence::p()
  std::size_t tests = 0;  ///< IsnEvidence::tests
};
/// p() and tests of weigh(), to the last bit, in a fraction of the time: each test is looked at, and made only if that shows something.
[[nodiscard]] IsnWeight weigh_quickly(const IsnSeries& series, bool listener);

/// Samples by machine, where TTL (and for an originating host the options of its SYN) tell several with at least four samples each; else
/// all in one.
[[nodiscard]] std::vector<std::vector<IsnObservation>> machines(const std::vector<IsnObservation>& observations, bool listener);

/// Of a host that is not rejected: rfc6528-like, random-like or inconclusive.
[[nodiscard]] IsnVerdict verdict_of_innocent(const IsnSeries& series);
/// Fills in everything but whose numbers they are, for such a host.
void describe_innocent(const IsnSeries& series, IsnFinding& finding);
/// The same for a host that is. `level`: a single test rejects at p * tests <= level.
void describe_weak(const IsnSeries& series, const IsnEvidence& evidence, double level, IsnFinding& finding);

/// nmap's GCD, ISR and SP of a sequence.
[[nodiscard]] NmapIsn nmap_measures(const std::vector<IsnObservation>& observations);

/// A range that holds the next of these residues with 95 % confidence, checked by leaving out each in turn.
struct Range {
  double low = 0;
  double high = 0;
};
[[nodiscard]] Range prediction_range(std::vector<double> residues);

}  // namespace finwait::hosts
