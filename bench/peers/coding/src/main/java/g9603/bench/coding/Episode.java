package g9603.bench.coding;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/**
 * What is known of an episode, and the decision.
 *
 * <p>Arrays of primitives are what Flink and Jackson write fastest; entry by entry they belong together.
 */
@JsonFormat(shape = JsonFormat.Shape.ARRAY)
@JsonPropertyOrder({"surveyIds", "instruments", "scores", "completedAt", "performedAt", "coded"})
public final class Episode {
  static final long LOOK_BACK_MS = TimeUnit.DAYS.toMillis(90);
  static final long WINDOW_MS = TimeUnit.DAYS.toMillis(365);

  public String[] surveyIds = {};
  public String[] instruments = {};
  public double[] scores = {};
  public long[] completedAt = {};
  public long[] performedAt = {};
  public boolean coded;

  /** Takes in what was read; a survey that is known already, or a further treatment at one time, changes nothing. */
  public void add(Event event) {
    if (event.isSurvey()) {
      if (!Arrays.asList(surveyIds).contains(event.id)) {
        surveyIds = with(surveyIds, event.id);
        instruments = with(instruments, event.instrument);
        scores = Arrays.copyOf(scores, scores.length + 1);
        scores[scores.length - 1] = event.score;
        completedAt = with(completedAt, event.at);
      }
    } else if (Arrays.stream(performedAt).noneMatch(at -> at == event.at)) {
      performedAt = with(performedAt, event.at);
    }
  }

  /**
   * The code, the first time that it is earned; else null.
   *
   * <p>As the contract has it for one respondent and scores that get better as they fall: the anchor is the earliest
   * treatment with a survey in the look-back, the baseline the latest such survey; a follow-up lies after the anchor,
   * within the window from the last treatment before it; the earliest one below the baseline counts.
   */
  public Code codeIfNew(String episodeId) {
    if (coded || surveyIds.length < 2 || performedAt.length == 0) {
      return null;
    }
    int followUp = -1;
    int baseline = -1;
    for (int survey = 0; survey < surveyIds.length; survey++) {
      if (followUp < 0 || completedAt[survey] < completedAt[followUp]) {
        int compared = baselineOf(survey);
        if (compared >= 0 && scores[survey] < scores[compared]) {
          followUp = survey;
          baseline = compared;
        }
      }
    }
    if (followUp < 0) {
      return null;
    }
    coded = true;
    double change = scores[followUp] - scores[baseline];
    return new Code("G9603", episodeId, surveyIds[baseline], surveyIds[followUp], change);
  }

  /** The survey that this one is a follow-up to; -1 where it is none. */
  private int baselineOf(int followUp) {
    int anchor = -1;
    int baseline = -1;
    long lastTreatment = Long.MIN_VALUE;
    for (int treatment = 0; treatment < performedAt.length; treatment++) {
      if (performedAt[treatment] < completedAt[followUp]) {
        lastTreatment = Math.max(lastTreatment, performedAt[treatment]);
      }
      if (anchor < 0 || performedAt[treatment] < performedAt[anchor]) {
        int before = latestWithin(performedAt[treatment], instruments[followUp]);
        if (before >= 0) {
          anchor = treatment;
          baseline = before;
        }
      }
    }
    boolean follows = anchor >= 0
        && completedAt[followUp] > performedAt[anchor]
        && completedAt[followUp] - lastTreatment <= WINDOW_MS;
    return follows ? baseline : -1;
  }

  /** The latest survey of an instrument at a time or up to the look-back before it; -1 where there is none. */
  private int latestWithin(long at, String instrument) {
    int latest = -1;
    for (int survey = 0; survey < surveyIds.length; survey++) {
      long age = at - completedAt[survey];
      if (age >= 0
          && age <= LOOK_BACK_MS
          && instruments[survey].equals(instrument)
          && (latest < 0 || completedAt[survey] > completedAt[latest])) {
        latest = survey;
      }
    }
    return latest;
  }

  private static String[] with(String[] array, String value) {
    String[] longer = Arrays.copyOf(array, array.length + 1);
    longer[array.length] = value;
    return longer;
  }

  private static long[] with(long[] array, long value) {
    long[] longer = Arrays.copyOf(array, array.length + 1);
    longer[array.length] = value;
    return longer;
  }
}
