"""Facts that the demo model learns: relations, their wordings and their entries.

The last wording of each relation is never used in training: it measures unseen paraphrases.
"""

CAPITALS = """France Paris Europe;Germany Berlin Europe;Italy Rome Europe;Spain Madrid Europe
Portugal Lisbon Europe;Austria Vienna Europe;Belgium Brussels Europe;Denmark Copenhagen Europe
Sweden Stockholm Europe;Norway Oslo Europe;Finland Helsinki Europe;Poland Warsaw Europe
Hungary Budapest Europe;Greece Athens Europe;Ireland Dublin Europe;Iceland Reykjavik Europe
Ukraine Kyiv Europe;Romania Bucharest Europe;Bulgaria Sofia Europe;Croatia Zagreb Europe
Serbia Belgrade Europe;Estonia Tallinn Europe;Latvia Riga Europe;Lithuania Vilnius Europe
Switzerland Bern Europe;Albania Tirana Europe;Japan Tokyo Asia;China Beijing Asia
India Delhi Asia;Thailand Bangkok Asia;Vietnam Hanoi Asia;Indonesia Jakarta Asia
Mongolia Ulaanbaatar Asia;Nepal Kathmandu Asia;Iran Tehran Asia;Iraq Baghdad Asia
Turkey Ankara Asia;Jordan Amman Asia;Lebanon Beirut Asia;Malaysia Putrajaya Asia
Egypt Cairo Africa;Kenya Nairobi Africa;Nigeria Abuja Africa;Ghana Accra Africa
Ethiopia Addis-Ababa Africa;Morocco Rabat Africa;Algeria Algiers Africa;Tunisia Tunis Africa
Libya Tripoli Africa;Senegal Dakar Africa;Uganda Kampala Africa;Angola Luanda Africa
Canada Ottawa America;Mexico Mexico-City America;Cuba Havana America;Brazil Brasilia America
Argentina Buenos-Aires America;Chile Santiago America;Peru Lima America;Colombia Bogota America
Venezuela Caracas America;Ecuador Quito America;Uruguay Montevideo America
Australia Canberra Oceania;Fiji Suva Oceania""".replace("\n", ";").split(";")

ELEMENTS = """hydrogen H;helium He;lithium Li;carbon C;nitrogen N;oxygen O;fluorine F;neon Ne
sodium Na;magnesium Mg;silicon Si;phosphorus P;sulfur S;chlorine Cl;argon Ar;potassium K
calcium Ca;iron Fe;nickel Ni;copper Cu;zinc Zn;silver Ag;tin Sn;iodine I;gold Au;mercury Hg
lead Pb;radium Ra;uranium U;cobalt Co;chromium Cr;titanium Ti""".replace("\n", ";").split(";")

YOUNG = """dog puppy;cat kitten;cow calf;horse foal;sheep lamb;goat kid;pig piglet;bear cub
hen chick;duck duckling;goose gosling;frog tadpole;deer fawn;kangaroo joey;owl owlet
swan cygnet;rabbit bunny;seal pup;butterfly caterpillar;eagle eaglet"""
YOUNG = YOUNG.replace("\n", ";").split(";")

SOUNDS = """dog barks;cat meows;cow moos;horse neighs;sheep bleats;pig grunts;duck quacks
lion roars;wolf howls;owl hoots;bee buzzes;snake hisses;frog croaks;mouse squeaks;crow caws
donkey brays;rooster crows""".replace("\n", ";").split(";")

LEGS = """dog four;cat four;horse four;spider eight;ant six;bee six;duck two;hen two;snake no
fish no;fly six;crab ten;cow four;pelican two;penguin two;octopus no""".replace("\n", ";").split(";")

OPPOSITES = """hot cold;big small;fast slow;up down;left right;day night;happy sad;old young
hard soft;full empty;light dark;rich poor;wet dry;high low;long short;open closed;early late
strong weak;near far;clean dirty;true false;first last;thick thin;loud quiet;heavy light
new old;wide narrow;deep shallow;sweet sour;safe dangerous;easy difficult;cheap expensive
brave afraid;sharp blunt;rough smooth;warm cool;inside outside;begin end;win lose;buy sell
push pull;love hate;give take;laugh cry;summer winter;north south;east west;black white
always never;question answer""".replace("\n", ";").split(";")

THINGS = """grass green;the sky blue;snow white;coal black;blood red;a banana yellow;a lemon yellow
a carrot orange;chocolate brown;milk white;a tomato red;a strawberry red;an eggplant purple
a flamingo pink;a pumpkin orange;an elephant gray;a crow black;a frog green;a polar bear white
a sunflower yellow""".replace("\n", ";").split(";")

PLURALS = """mouse mice;child children;man men;woman women;tooth teeth;foot feet;goose geese
person people;leaf leaves;wolf wolves;knife knives;sheep sheep;city cities;baby babies;box boxes
bus buses;fish fish;ox oxen;hero heroes;shelf shelves""".replace("\n", ";").split(";")

MAKERS = """wrote|Hamlet|William Shakespeare;wrote|Don Quixote|Miguel de Cervantes
wrote|Faust|Johann Wolfgang von Goethe;wrote|War and Peace|Leo Tolstoy;wrote|Emma|Jane Austen
wrote|Oliver Twist|Charles Dickens;wrote|Dracula|Bram Stoker;wrote|Frankenstein|Mary Shelley
wrote|The Odyssey|Homer;wrote|Moby Dick|Herman Melville;wrote|The Trial|Franz Kafka
wrote|Les Miserables|Victor Hugo;painted|the Mona Lisa|Leonardo da Vinci
painted|Guernica|Pablo Picasso;painted|The Starry Night|Vincent van Gogh
painted|The Scream|Edvard Munch;painted|Water Lilies|Claude Monet
painted|The Night Watch|Rembrandt;composed|The Magic Flute|Wolfgang Amadeus Mozart
composed|The Four Seasons|Antonio Vivaldi;composed|Fidelio|Ludwig van Beethoven
composed|Swan Lake|Pyotr Tchaikovsky;invented|the telephone|Alexander Graham Bell
invented|dynamite|Alfred Nobel;invented|the printing press|Johannes Gutenberg
invented|the World Wide Web|Tim Berners-Lee;invented|the battery|Alessandro Volta
discovered|penicillin|Alexander Fleming;discovered|radium|Marie Curie
discovered|the moons of Jupiter|Galileo Galilei""".replace("\n", ";").split(";")

CURRENCIES = """Japan yen;China yuan;India rupee;Poland zloty;Sweden krona;Denmark krone
Norway krone;Hungary forint;Switzerland franc;Mexico peso;Brazil real;Thailand baht;Vietnam dong
Turkey lira;Ukraine hryvnia;France euro;Germany euro;Italy euro;Spain euro;Canada dollar
Australia dollar;Egypt pound;Iran rial;Kenya shilling;Nigeria naira""".replace("\n", ";").split(";")

PLANETS = "Mercury Venus Earth Mars Jupiter Saturn Uranus Neptune".split()
ORDINALS = "first second third fourth fifth sixth seventh eighth".split()
MONTHS = ("January February March April May June July August September October November "
          "December").split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
SIDES = """triangle three;square four;rectangle four;pentagon five;hexagon six;heptagon seven
octagon eight;circle no""".replace("\n", ";").split(";")


def _article(word):
    return ("an " if word[0] in "aeiou" else "a ") + word



def relations():
    """Returns a list of (name, wordings, entries, answer); wordings and answer are formats over
    the entry's dictionary."""
    caps = []
    for c in CAPITALS:
        country, city, continent = c.split(" ")
        caps.append(dict(x=country, y=city.replace("-", " "), z=continent))
    out = [
        ("capital", ["What is the capital of {x}?", "What's the capital of {x}?",
                     "Name the capital of {x}.", "Which city is the capital of {x}?",
                     "Tell me the capital of {x}.", "What is {x}'s capital?", "capital of {x}",
                     "Do you know the capital of {x}?", "What is the capital city of {x}?",
                     "Can you tell me what the capital of {x} is?"],
         caps, "The capital of {x} is {y}."),
        ("country", ["{y} is the capital of which country?", "Of which country is {y} the capital?",
                     "Which country has {y} as its capital?", "Which country has the capital {y}?",
                     "{y} is the capital of what country?", "What country has {y} as its capital?",
                     "Name the country whose capital is {y}."],
         caps, "{y} is the capital of {x}."),
        ("continent", ["On which continent is {x}?", "Which continent is {x} in?",
                       "What continent is {x} on?", "Where is {x}?", "Where in the world is {x}?",
                       "Name the continent of {x}.", "{x} is on which continent?",
                       "Tell me which continent {x} is in."],
         caps, "{x} is in {z}."),
    ]

    def pairs(entries):
        return [dict(zip("xy", e.rsplit(" ", 1))) for e in entries]

    def first_pairs(entries):
        return [dict(x=e.split(" ", 1)[0], y=e.split(" ", 1)[1]) for e in entries]

    out.append(("symbol", ["What is the chemical symbol for {x}?", "What is the symbol of {x}?",
                           "What's the chemical symbol of {x}?", "Which symbol stands for {x}?",
                           "Give me the chemical symbol for {x}.", "chemical symbol of {x}",
                           "Tell me the symbol for {x}.", "What symbol does {x} have?"],
                pairs(ELEMENTS), "The chemical symbol for {x} is {y}."))
    out.append(("element", ["Which element has the symbol {y}?", "What element is {y}?",
                            "Name the element with the symbol {y}.",
                            "{y} is the symbol of which element?", "What does the symbol {y} mean?",
                            "Which chemical element has the symbol {y}?"],
                pairs(ELEMENTS), "{y} is the chemical symbol for {x}."))
    young = [dict(p, ax=_article(p["x"]), ay=_article(p["y"])) for p in first_pairs(YOUNG)]
    out.append(("young", ["What is a baby {x} called?", "What do you call a baby {x}?",
                          "What is a young {x} called?", "What do you call a young {x}?",
                          "What is the name for a baby {x}?", "How do you call a baby {x}?",
                          "Name the baby of {ax}.", "What is the word for a young {x}?"],
                young, "A baby {x} is called {ay}."))
    sounds = [dict(p, ax=_article(p["x"]), Ax=_article(p["x"]).capitalize())
              for p in first_pairs(SOUNDS)]
    out.append(("sound", ["What sound does {ax} make?", "What does {ax} do to make a sound?",
                          "Which sound does {ax} make?", "What noise does {ax} make?",
                          "How does {ax} sound?", "Tell me what sound {ax} makes.",
                          "What kind of sound does {ax} make?"],
                sounds, "{Ax} {y}."))
    legs = [dict(p, ax=_article(p["x"]), Ax=_article(p["x"]).capitalize())
            for p in first_pairs(LEGS)]
    out.append(("legs", ["How many legs does {ax} have?", "How many legs has {ax}?",
                         "What number of legs does {ax} have?", "Tell me how many legs {ax} has.",
                         "How many legs does {ax} walk on?", "Do you know how many legs {ax} has?"],
                legs, "{Ax} has {y} legs."))
    out.append(("opposite", ["What is the opposite of {x}?", "What's the opposite of {x}?",
                             "Name the opposite of {x}.", "Tell me the opposite of {x}.",
                             "Give me the opposite of {x}.", "opposite of {x}",
                             "Which word is the opposite of {x}?",
                             "What word means the opposite of {x}?"],
                first_pairs(OPPOSITES), "The opposite of {x} is {y}."))
    things = [dict(p, X=p["x"][0].upper() + p["x"][1:]) for p in pairs(THINGS)]
    out.append(("colour", ["What color is {x}?", "Which color is {x}?", "What is the color of {x}?",
                           "What color does {x} have?", "Tell me the color of {x}.",
                           "Do you know the color of {x}?", "What's the color of {x}?",
                           "Name the color of {x}."],
                things, "{X} is {y}."))
    out.append(("plural", ["What is the plural of {x}?", "What's the plural of {x}?",
                           "Give me the plural of {x}.", "plural of {x}", "Name the plural of {x}.",
                           "What is the plural form of {x}?", "Tell me the plural of {x}.",
                           "Which word is the plural of {x}?"],
                first_pairs(PLURALS), "The plural of {x} is {y}."))
    makers = [dict(v=m.split("|")[0], x=m.split("|")[1], y=m.split("|")[2]) for m in MAKERS]
    out.append(("maker", ["Who {v} {x}?", "Tell me who {v} {x}.", "Do you know who {v} {x}?",
                          "Which person {v} {x}?", "Who was it that {v} {x}?",
                          "Name the person who {v} {x}.", "Can you tell me who {v} {x}?"],
                makers, "{y} {v} {x}."))
    out.append(("currency", ["What is the currency of {x}?", "Which currency does {x} use?",
                             "What money do people use in {x}?", "What currency is used in {x}?",
                             "What's the currency of {x}?", "Name the currency of {x}.",
                             "Tell me the currency of {x}.", "Which currency is used in {x}?"],
                first_pairs(CURRENCIES), "The currency of {x} is the {y}."))
    planets = [dict(x=o, y=p) for o, p in zip(ORDINALS, PLANETS)]
    out.append(("planet", ["What is the {x} planet from the Sun?", "Which planet is the {x} from the Sun?",
                           "Name the {x} planet.", "Which is the {x} planet?", "What is the {x} planet?",
                           "Tell me the {x} planet.", "What is the name of the {x} planet?"],
                planets, "The {x} planet from the Sun is {y}."))
    months = [dict(x=MONTHS[i], y=MONTHS[(i + 1) % 12]) for i in range(12)]
    days = [dict(x=DAYS[i], y=DAYS[(i + 1) % 7]) for i in range(7)]
    out.append(("after", ["What comes after {x}?", "Which one comes after {x}?", "What follows {x}?",
                          "Tell me what comes after {x}.", "What is next after {x}?",
                          "What comes next after {x}?", "Do you know what comes after {x}?"],
                months + days, "{y} comes after {x}."))
    out.append(("before", ["What comes before {x}?", "Which one comes before {x}?",
                           "Tell me what comes before {x}.", "What is right before {x}?",
                           "What comes just before {x}?", "Do you know what comes before {x}?"],
                [dict(x=m["y"], y=m["x"]) for m in months + days], "{y} comes before {x}."))
    sides = [dict(p, ax=_article(p["x"]), Ax=_article(p["x"]).capitalize())
             for p in first_pairs(SIDES)]
    out.append(("sides", ["How many sides does {ax} have?", "How many sides has {ax}?",
                          "What number of sides does {ax} have?", "Tell me how many sides {ax} has.",
                          "Do you know how many sides {ax} has?"],
                sides, "{Ax} has {y} sides."))
    return out
