package g9603.bench.kafkastreams;

import static g9603.bench.coding.Environment.APP_ID;
import static g9603.bench.coding.Environment.BOOTSTRAP_SERVERS;
import static g9603.bench.coding.Environment.CODES;
import static g9603.bench.coding.Environment.LOCAL_FOLDER;
import static g9603.bench.coding.Environment.SURVEYS;
import static g9603.bench.coding.Environment.TREATMENTS;

import g9603.bench.coding.Code;
import g9603.bench.coding.Environment;
import g9603.bench.coding.Episode;
import g9603.bench.coding.Event;
import g9603.bench.coding.Events;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.LogAndContinueExceptionHandler;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** G9603 on Kafka Streams: the Processor API over both topics, one store with its changelog, exactly_once_v2. */
public final class CodingStreams {
  private static final String STORE = "episodes";

  private CodingStreams() {}

  /** Runs until SIGTERM. */
  public static void main(String[] arguments) {
    KafkaStreams streams = new KafkaStreams(topology(), settings());
    streams.setUncaughtExceptionHandler(error -> {
      error.printStackTrace();
      Runtime.getRuntime().halt(1);
      return null;
    });
    // By default it would stay a member of its group until the session has timed out, and a successor would wait.
    CloseOptions leaving = CloseOptions.groupMembershipOperation(GroupMembershipOperation.LEAVE_GROUP);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(leaving)));
    streams.start();
  }

  private static Topology topology() {
    return new Topology()
        .addSource("surveys", new StringDeserializer(), EventSerdes.SURVEYS, SURVEYS)
        .addSource("treatments", new StringDeserializer(), EventSerdes.TREATMENTS, TREATMENTS)
        .addProcessor("coding", Coding::new, "surveys", "treatments")
        .addStateStore(store(), "coding")
        .addSink("codes", CODES, new StringSerializer(), EventSerdes.json(Code.class).serializer(), "coding");
  }

  /** The changelog holds every change; a cache would only hold back what is seldom changed twice in a row. */
  private static StoreBuilder<KeyValueStore<String, Episode>> store() {
    boolean inMemory = Environment.required("BENCH_STORE").equals("memory");
    KeyValueBytesStoreSupplier supplier =
        inMemory ? Stores.inMemoryKeyValueStore(STORE) : Stores.persistentKeyValueStore(STORE);
    return Stores.keyValueStoreBuilder(supplier, Serdes.String(), EventSerdes.json(Episode.class))
        .withCachingDisabled();
  }

  private static Properties settings() {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, APP_ID);
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, BOOTSTRAP_SERVERS);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, Environment.required("BENCH_THREADS"));
    settings.put(StreamsConfig.STATE_DIR_CONFIG, LOCAL_FOLDER);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.DESERIALIZATION_EXCEPTION_HANDLER_CLASS_CONFIG, LogAndContinueExceptionHandler.class);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    // Larger than the defaults: fewer requests.
    settings.put(ProducerConfig.BATCH_SIZE_CONFIG, 256 * 1024);
    settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 5_000);
    return settings;
  }

  private static final class Coding implements Processor<String, Event, String, Code> {
    private ProcessorContext<String, Code> context;
    private KeyValueStore<String, Episode> episodes;

    @Override
    public void init(ProcessorContext<String, Code> given) {
      context = given;
      episodes = given.getStateStore(STORE);
    }

    @Override
    public void process(Record<String, Event> record) {
      Event event = record.value();
      if (event == null) {
        return;
      }
      Episode known = episodes.get(event.episodeId);
      Episode episode = known == null ? new Episode() : known;
      episode.add(event);
      Code code = episode.codeIfNew(event.episodeId);
      episodes.put(event.episodeId, episode);
      if (code != null) {
        context.forward(record.withKey(event.episodeId).withValue(code));
      }
    }
  }
}
