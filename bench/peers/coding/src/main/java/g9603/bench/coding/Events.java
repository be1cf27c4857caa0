package g9603.bench.coding;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Reads surveys and treatments: Jackson for the types, and the checks that a type cannot make. */
public final class Events {
  /** For whatever goes in and out; unknown fields are passed over, as the contract has it. */
  public static final ObjectMapper JSON = JsonMapper.builder()
      .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
      .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
      .build();

  private static final ObjectReader SURVEY = JSON.readerFor(SurveyCompleted.class);
  private static final ObjectReader TREATMENT = JSON.readerFor(TreatmentRecorded.class);

  /** The highest score of each instrument. */
  private static final Map<String, Double> SCORE_MAX = Map.of("odi", 100.0, "phq9", 27.0);

  private Events() {}

  record SurveyCompleted(String eventId, String source, String surveyId, String episodeId, String patientId,
      String instrument, Double score, String completedAt, String encounterId, String facilityId, String payerId,
      String renderingNpi, String placeOfService) {}

  record TreatmentRecorded(String eventId, String source, String treatmentId, String episodeId, String patientId,
      String code, List<String> modifiers, String performedAt, List<String> diagnoses, String encounterId,
      String facilityId, String payerId, String renderingNpi, String placeOfService) {}

  /**
   * A survey.
   *
   * @throws IOException it is no JSON, or breaks a type
   * @throws RuntimeException a required field is missing, or a value is not possible
   */
  public static Event readSurvey(byte[] value) throws IOException {
    SurveyCompleted told = SURVEY.readValue(value);
    checkRequired(told.eventId, told.source, told.surveyId, told.patientId);
    double score = Objects.requireNonNull(told.score, "score");
    Double scoreMax = SCORE_MAX.get(Objects.requireNonNull(told.instrument, "instrument"));
    if (scoreMax == null || !(score >= 0 && score <= scoreMax)) {
      throw new IllegalArgumentException("This instrument is not known, or has no such score.");
    }
    return Event.survey(Objects.requireNonNull(told.episodeId), told.surveyId, told.instrument, score,
        milliseconds(told.completedAt));
  }

  /**
   * A treatment; null for one that does not qualify.
   *
   * @throws IOException it is no JSON, or breaks a type
   * @throws RuntimeException a required field is missing, or a value is not possible
   */
  public static Event readTreatment(byte[] value) throws IOException {
    TreatmentRecorded told = TREATMENT.readValue(value);
    checkRequired(told.eventId, told.source, told.treatmentId, told.patientId);
    long performedAt = milliseconds(told.performedAt);
    boolean qualifies = qualifies(Objects.requireNonNull(told.code, "code"));
    Objects.requireNonNull(told.episodeId, "episode_id");
    return qualifies ? Event.treatment(told.episodeId, told.treatmentId, performedAt) : null;
  }

  /** Every CPT or HCPCS code but evaluations, category II and the outcome codes themselves. */
  private static boolean qualifies(String code) {
    boolean isEvaluation = code.compareTo("97161") >= 0 && code.compareTo("97168") <= 0;
    boolean isOutcome = code.compareTo("G9603") >= 0 && code.compareTo("G9605") <= 0;
    return !isEvaluation && !isOutcome && !code.endsWith("F");
  }

  private static void checkRequired(String... values) {
    for (String value : values) {
      Objects.requireNonNull(value, "A required field is missing.");
    }
  }

  private static long milliseconds(String time) {
    return OffsetDateTime.parse(time).toInstant().toEpochMilli();
  }
}
