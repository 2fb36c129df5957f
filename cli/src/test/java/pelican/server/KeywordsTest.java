package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pelican.grammar.JsonGrammar;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What grammars allow and refuse, text by text, against another implementation of JSON Schema. */
class KeywordsTest {
  private static final JsonMapper JSON = JsonMapper.shared();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      maxCharsPerColumn = 20000,
      value = {
        "{'pattern':'^a+$'} | 'a' 'aaa' | '' 'ab' 'A'",
        "{'type':'string','pattern':'b'} | 'b' 'abc' '\\nb\\\"' | '' 'a'",
        "{'pattern':'^[\\\\\\\\\\\"]$'} | '\\\\' '\\\"' | '' 'a'",
        "{'pattern':'^é\\u00e8$'} | 'éè' | 'é' 'ée'",
        "{'pattern':'^[a-c]{2,3}$','minLength':3} | 'abc' | 'ab' 'abca'",
        "{'pattern':'a','maxLength':2} | 'a' 'ba' | 'bba' 'b'",
        "{'allOf':[{'pattern':'a'},{'pattern':'b'}]} | 'ab' 'bxa' | 'a' 'b'",
        "{'format':'date'} | '2026-11-26' | '2026-11-31' 'x'",
        "{'format':'date-time'} | '2026-11-26T01:02:03Z' | '2026-11-26'",
        "{'format':'ipv4','pattern':'^10'} | '10.0.0.1' '100.1.2.3' | '11.0.0.1' '10'",
        "{'type':'string','format':'uuid'} | '123e4567-e89b-12d3-a456-426614174000' | '1'",
        "{'type':'integer','multipleOf':7} | 0 7 -14 700 | 1 8 -7.5",
        "{'type':'number','multipleOf':0.25} | 0.25 1.5 -3 | 0.1 1.26",
        "{'type':'integer','multipleOf':6,'minimum':13,'maximum':25} | 18 24 | 12 30 20",
        "{'allOf':[{'type':'integer','multipleOf':4},{'multipleOf':6}]} | 12 0 | 4 6 18",
        "{'enum':[1,5,'a',null],'minimum':3} | 5 'a' null | 1 2",
        "{'enum':['a','bb','ccc'],'minLength':2,'pattern':'c'} | 'ccc' | 'a' 'bb'",
        "{'const':{'a':1},'required':['a'],'minProperties':1} | {'a':1} | {}",
        "{'enum':[[1,1],[1,2]],'uniqueItems':true} | [1,2] | [1,1]",
        "{'enum':[1,2,3],'not':{'const':2}} | 1 3 | 2",
        "{'enum':[1,2,'a'],'if':{'type':'integer'},'then':{'minimum':2}} | 2 'a' | 1",
        "{'type':'string','not':{'enum':['a','bc']}} | 'b' 'ab' '' | 'a' 'bc'",
        "{'type':['string','null'],'not':{'type':'null'}} | 'a' | null",
        "{'type':'string','not':{'pattern':'^x'}} | 'a' '' 'ax' | 'x' 'xy'",
        "{'type':['boolean','null'],'not':{'const':true}} | false null | true",
        "{'type':'object','minProperties':1} | {'a':1} {'a':1,'b':2} | {}",
        "{'type':'object','maxProperties':1} | {'a':1} {} | {'a':1,'b':2}",
        "{'properties':{'a':true,'b':true},'minProperties':2} | {'a':1,'b':2} | {'a':1} {}",
        "{'properties':{'a':true,'b':true},'required':['b'],'maxProperties':1} | {'b':1} |"
            + " {'a':1,'b':1}",
        "{'patternProperties':{'^x':{'type':'null'}}} | {'x':null,'xy':null} {} | {'x':1}",
        "{'patternProperties':{'^x':{'minimum':2},'y$':{'maximum':5}},'additionalProperties':false}"
            + " | {'x':9,'y':1,'xy':3} | {'xy':9} {'xy':1} {'z':3}",
        "{'properties':{'xa':{'type':'integer'}},'patternProperties':{'^x':{'maximum':5}}} |"
            + " {'xa':4} | {'xa':6} {'xa':'a'}",
        "{'propertyNames':{'pattern':'^[a-c]+$'},'type':'object'} | {'ab':1} | {'d':1}",
        "{'propertyNames':{'enum':['a','b']},'additionalProperties':{'type':'null'}} |"
            + " {'a':null,'b':null} | {'c':null} {'a':1}",
        "{'type':'array','items':{'enum':[1,'a',true]},'uniqueItems':true} | [1,'a'] [] | [1,1]"
            + " ['a',true,'a']",
        "{'type':'array','items':{'type':'string'},'uniqueItems':true,'minItems':2} | ['a','b']"
            + " ['','a','aa'] | ['a','a'] ['a']",
        "{'type':'array','items':{'type':'integer'},'uniqueItems':true} | [1,11,-1] | [1,1]"
            + " [11,1,11]"
      })
  void allowsWhatIsValid(String schema, String valid, String invalid) {
    String source = schema.replace('\'', '"');
    JsonNode node = JSON.readTree(source);
    Map<String, Object> map = JSON.readValue(source, new TypeReference<>() {});
    JsonGrammar grammar = JsonGrammar.of(map);
    for (String text : texts(valid)) {
      assertThat(Validator.errors(node, text)).as(source + " of " + text).isEmpty();
      assertThat(grammar.matches(text.getBytes(StandardCharsets.UTF_8)))
          .as(source + " of " + text)
          .isTrue();
    }
    for (String text : texts(invalid)) {
      assertThat(Validator.errors(node, text)).as(source + " of " + text).isNotEmpty();
      assertThat(grammar.matches(text.getBytes(StandardCharsets.UTF_8)))
          .as(source + " of " + text)
          .isFalse();
    }
  }

  private static List<String> texts(String cell) {
    return List.of(cell.replace('\'', '"').split(" "));
  }
}
