import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * The smallest billing consumer in Java that is exactly once: the codes and the offsets are one file, replaced at once.
 *
 * <p>{@code java -cp 'jars/*' BillingConsumer.java kafka-1:9092 coding-events billing.json}
 *
 * <p>Needs kafka-clients and jackson-databind. One process a file; kill it whenever you like. Where you have a database,
 * let its transaction take the place of the file, as billing_consumer.py does.
 */
final class BillingConsumer {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws IOException {
        String topic = arguments[1];
        Path file = Path.of(arguments[2]);
        ObjectNode held = Files.exists(file) ? (ObjectNode) JSON.readTree(file.toFile()) : JSON.createObjectNode();
        ObjectNode codes = held.withObject("/codes");
        ObjectNode nextOffsets = held.withObject("/next_offsets");

        Map<String, Object> options = Map.of(
                "bootstrap.servers", arguments[0],
                "group.id", "billing",
                "isolation.level", "read_committed", // what a worker has not committed was never told
                "enable.auto.commit", false, // our offsets are in the file
                "session.timeout.ms", 10_000, // so long its partitions wait for one that was killed
                "auto.offset.reset", "none"); // events that are gone are for a person, not to be skipped
        try (var consumer = new KafkaConsumer<>(options, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(topic), new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}

                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                    for (TopicPartition tp : partitions) {
                        consumer.seek(tp, nextOffsets.path(String.valueOf(tp.partition())).asLong(0));
                    }
                }
            });
            while (true) {
                var records = consumer.poll(Duration.ofSeconds(1));
                for (ConsumerRecord<String, String> record : records) {
                    apply(JSON.readTree(record.value()), codes);
                    nextOffsets.put(String.valueOf(record.partition()), record.offset() + 1);
                }
                if (!records.isEmpty()) {
                    Path next = file.resolveSibling(file.getFileName() + ".next");
                    JSON.writeValue(next.toFile(), held);
                    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
                }
            }
        }
    }

    /** A void stays, so that an older event of its episode that is seen again changes nothing. */
    private static void apply(JsonNode event, ObjectNode codes) {
        String episode = event.get("episode_id").asText();
        if (event.get("revision").asInt() > codes.path(episode).path("revision").asInt(0)) {
            codes.set(episode, event);
        }
    }
}
