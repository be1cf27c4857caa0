package g9603.bench.kafkastreams;

import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import g9603.bench.coding.Event;
import g9603.bench.coding.Events;
import java.io.IOException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** How values go in and out: what cannot be read is a SerializationException, which Kafka Streams has a handler for. */
final class EventSerdes {
  static final Deserializer<Event> SURVEYS = (topic, value) -> read(Events::readSurvey, value);
  static final Deserializer<Event> TREATMENTS = (topic, value) -> read(Events::readTreatment, value);

  private EventSerdes() {}

  static <T> Serde<T> json(Class<T> type) {
    ObjectReader reader = Events.JSON.readerFor(type);
    ObjectWriter writer = Events.JSON.writerFor(type);
    return Serdes.serdeFrom(
        (topic, value) -> value == null ? null : read(writer::writeValueAsBytes, value),
        (topic, value) -> value == null ? null : read(reader::<T>readValue, value));
  }

  private interface Reading<S, T> {
    T apply(S source) throws IOException;
  }

  private static <S, T> T read(Reading<S, T> reading, S source) {
    try {
      return reading.apply(source);
    } catch (IOException | RuntimeException error) {
      throw new SerializationException(error);
    }
  }
}
