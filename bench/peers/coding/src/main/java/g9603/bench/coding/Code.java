package g9603.bench.coding;

/** What goes out for an episode. */
public record Code(String code, String episodeId, String baseline, String followUp, double change) {}
