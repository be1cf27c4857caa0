package g9603.bench.coding;

/** What is kept of a survey or a treatment; public fields, so that Flink carries it by its own serializer. */
public final class Event {
  public String episodeId;

  /** Of the survey or the treatment. */
  public String id;

  /** Of a survey; empty for a treatment. */
  public String instrument;

  /** Of a survey; 0 for a treatment. */
  public double score;

  /** When the survey was completed, or the treatment performed: milliseconds since 1970. */
  public long at;

  /** For Flink. */
  public Event() {}

  private Event(String episodeId, String id, String instrument, double score, long at) {
    this.episodeId = episodeId;
    this.id = id;
    this.instrument = instrument;
    this.score = score;
    this.at = at;
  }

  static Event survey(String episodeId, String id, String instrument, double score, long at) {
    return new Event(episodeId, id, instrument, score, at);
  }

  static Event treatment(String episodeId, String id, long at) {
    return new Event(episodeId, id, "", 0, at);
  }

  public boolean isSurvey() {
    return !instrument.isEmpty();
  }
}
