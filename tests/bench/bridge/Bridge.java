import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;

import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServer;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServerConfiguration;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.Main;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.support.DefaultMessage;

/**
 * What the collector is measured against: a general HTTP-to-Kafka bridge, as one writes it with Apache Camel. The body of a POST to /one is one
 * record, of a POST to /lines a record a line; the answer comes when Kafka has acknowledged all of them. It looks at nothing: no JSON is
 * parsed, no key is set, nobody is authenticated. POST /keyed is /lines with the least that keeps a customer's events in order: each line is
 * parsed, and its customer_id is the record's key.
 *
 * <p>java -cp 'LIB/*' Bridge.java PORT BROKERS TOPIC
 */
public class Bridge extends RouteBuilder {
    private final String kafka;

    private final ObjectMapper json = new ObjectMapper();

    Bridge(String brokers, String topic) {
        kafka = "kafka:" + topic + "?brokers=" + brokers + "&requestRequiredAcks=all&compressionCodec=lz4&lingerMs=2";
    }

    @Override
    public void configure() {
        from("platform-http:/one?httpMethodRestrict=POST").convertBodyTo(String.class).to(kafka).setBody(constant("{}"));
        from("platform-http:/lines?httpMethodRestrict=POST").convertBodyTo(String.class).process(Bridge::split).to(kafka).setBody(constant("{}"));
        from("platform-http:/keyed?httpMethodRestrict=POST").convertBodyTo(String.class).process(this::key).to(kafka).setBody(constant("{}"));
    }

    /** A list goes to Kafka as a batch, and is waited for as a whole. */
    private static void split(Exchange exchange) {
        exchange.getMessage().setBody(List.of(exchange.getMessage().getBody(String.class).split("\n")));
    }

    private void key(Exchange exchange) throws Exception {
        List<Message> records = new ArrayList<>();
        for (String line : exchange.getMessage().getBody(String.class).split("\n")) {
            Message record = new DefaultMessage(exchange.getContext());
            record.setHeader(KafkaConstants.KEY, json.readTree(line).get("customer_id").textValue());
            record.setBody(line);
            records.add(record);
        }
        exchange.getMessage().setBody(records);
    }

    public static void main(String[] arguments) throws Exception {
        var http = new VertxPlatformHttpServerConfiguration();
        http.setBindHost("127.0.0.1");
        http.setBindPort(Integer.parseInt(arguments[0]));
        Main main = new Main();
        main.configure().addRoutesBuilder(new Bridge(arguments[1], arguments[2]));
        main.addMainListener(new MainListenerSupport() {
            @Override
            public void beforeStart(BaseMainSupport support) {
                try {
                    support.getCamelContext().addService(new VertxPlatformHttpServer(http));
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            }
        });
        main.run();
    }
}
