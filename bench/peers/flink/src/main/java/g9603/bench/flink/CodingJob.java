package g9603.bench.flink;

import static g9603.bench.coding.Environment.APP_ID;
import static g9603.bench.coding.Environment.BOOTSTRAP_SERVERS;
import static g9603.bench.coding.Environment.CODES;
import static g9603.bench.coding.Environment.DURABLE_FOLDER;
import static g9603.bench.coding.Environment.SURVEYS;
import static g9603.bench.coding.Environment.TREATMENTS;

import com.fasterxml.jackson.databind.ObjectWriter;
import g9603.bench.coding.Code;
import g9603.bench.coding.Environment;
import g9603.bench.coding.Episode;
import g9603.bench.coding.Event;
import g9603.bench.coding.Events;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/** G9603 on Flink: one source over both topics, keyed state on the heap, exactly-once checkpoints and sink. */
public final class CodingJob {
  private static final String TRANSACTION_TIMEOUT_MS = "600000";

  private CodingJob() {}

  /** Runs in a cluster within this process until SIGTERM; goes on from the last checkpoint, where there is one. */
  public static void main(String[] arguments) throws Exception {
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.createLocalEnvironment(
        Integer.parseInt(Environment.required("BENCH_PARALLELISM")), settings());
    // Nothing is changed after it was handed on, so nothing need be copied.
    environment.getConfig().enableObjectReuse();
    environment.fromSource(source(), WatermarkStrategy.noWatermarks(), "events")
        .keyBy(event -> event.episodeId)
        .process(new Coding())
        .sinkTo(sink());
    environment.execute(APP_ID);
  }

  private static Configuration settings() {
    Path checkpoints = Path.of(DURABLE_FOLDER).toAbsolutePath();
    Configuration settings = new Configuration();
    settings.setString("state.backend.type", "hashmap");
    settings.setString("execution.checkpointing.storage", "filesystem");
    settings.setString("execution.checkpointing.dir", checkpoints.toUri().toString());
    settings.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
    settings.setString("execution.checkpointing.interval", Environment.required("BENCH_CHECKPOINT_MS") + " ms");
    settings.setString("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
    settings.setString("rest.bind-address", "localhost");
    settings.setString("rest.bind-port", "0");
    lastCheckpoint(checkpoints)
        .ifPresent(path -> settings.setString("execution.state-recovery.path", path.toUri().toString()));
    return settings;
  }

  private static Optional<Path> lastCheckpoint(Path folder) {
    if (!Files.isDirectory(folder)) {
      return Optional.empty();
    }
    try (Stream<Path> paths = Files.walk(folder)) {
      return paths
          .filter(path -> path.endsWith("_metadata"))
          .max(Comparator.comparing(path -> path.toFile().lastModified()))
          .map(Path::getParent);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static KafkaSource<Event> source() {
    return KafkaSource.<Event>builder()
        .setBootstrapServers(BOOTSTRAP_SERVERS)
        .setGroupId(APP_ID)
        .setTopics(SURVEYS, TREATMENTS)
        .setStartingOffsets(OffsetsInitializer.earliest())
        .setProperty("isolation.level", "read_committed")
        .setDeserializer(new Reading())
        .build();
  }

  private static KafkaSink<Code> sink() {
    Properties producer = new Properties();
    producer.put("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS);
    return KafkaSink.<Code>builder()
        .setBootstrapServers(BOOTSTRAP_SERVERS)
        .setKafkaProducerConfig(producer)
        .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .setTransactionalIdPrefix(APP_ID)
        .setRecordSerializer(new Writing())
        .build();
  }

  private static final class Reading implements KafkaRecordDeserializationSchema<Event> {
    private static final long serialVersionUID = 1L;

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Event> out) {
      try {
        boolean isSurvey = record.topic().equals(SURVEYS);
        Event event = isSurvey ? Events.readSurvey(record.value()) : Events.readTreatment(record.value());
        if (event != null) {
          out.collect(event);
        }
      } catch (IOException | RuntimeException error) {
        System.err.printf("Passed over: %s-%d at %d%n", record.topic(), record.partition(), record.offset());
      }
    }

    @Override
    public TypeInformation<Event> getProducedType() {
      return TypeInformation.of(Event.class);
    }
  }

  private static final class Coding extends KeyedProcessFunction<String, Event, Code> {
    private static final long serialVersionUID = 1L;
    private transient ValueState<Episode> episodes;

    @Override
    public void open(OpenContext context) {
      episodes = getRuntimeContext().getState(new ValueStateDescriptor<>("episode", Episode.class));
    }

    @Override
    public void processElement(Event event, Context context, Collector<Code> out) throws Exception {
      Episode known = episodes.value();
      Episode episode = known == null ? new Episode() : known;
      episode.add(event);
      Code code = episode.codeIfNew(event.episodeId);
      episodes.update(episode);
      if (code != null) {
        out.collect(code);
      }
    }
  }

  private static final class Writing implements KafkaRecordSerializationSchema<Code> {
    private static final long serialVersionUID = 1L;
    private static final ObjectWriter WRITER = Events.JSON.writerFor(Code.class);

    @Override
    public ProducerRecord<byte[], byte[]> serialize(Code code, KafkaSinkContext context, Long timestamp) {
      try {
        byte[] key = code.episodeId().getBytes(StandardCharsets.UTF_8);
        return new ProducerRecord<>(CODES, key, WRITER.writeValueAsBytes(code));
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    }
  }
}
