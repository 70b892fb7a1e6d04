# SPDX-License-Identifier: GPL-3.0-or-later
"""The small closed world that the embedded model knows: plain tables, written by us, no other source."""

ANIMALS = {
    # name: (sound, legs, home, baby, food, colour, size 1..9, moves)
    "cat": ("meow", 4, "in a house", "kitten", "fish", "grey", 4, "run"),
    "dog": ("woof", 4, "in a house", "puppy", "meat", "brown", 5, "run"),
    "cow": ("moo", 4, "on a farm", "calf", "grass", "white", 8, "walk"),
    "horse": ("neigh", 4, "on a farm", "foal", "hay", "brown", 8, "run"),
    "sheep": ("baa", 4, "on a farm", "lamb", "grass", "white", 6, "walk"),
    "goat": ("maa", 4, "on a farm", "kid", "leaves", "white", 6, "climb"),
    "pig": ("oink", 4, "on a farm", "piglet", "corn", "pink", 6, "walk"),
    "duck": ("quack", 2, "by a pond", "duckling", "seeds", "yellow", 3, "swim"),
    "hen": ("cluck", 2, "on a farm", "chick", "seeds", "brown", 3, "walk"),
    "mouse": ("squeak", 4, "in a hole", "pup", "cheese", "grey", 1, "run"),
    "rabbit": ("squeak", 4, "in a burrow", "bunny", "carrots", "white", 3, "hop"),
    "frog": ("croak", 4, "by a pond", "tadpole", "flies", "green", 2, "hop"),
    "lion": ("roar", 4, "in the savanna", "cub", "meat", "yellow", 8, "run"),
    "tiger": ("roar", 4, "in the jungle", "cub", "meat", "orange", 8, "run"),
    "bear": ("growl", 4, "in the forest", "cub", "honey", "brown", 8, "climb"),
    "wolf": ("howl", 4, "in the forest", "pup", "meat", "grey", 6, "run"),
    "fox": ("yap", 4, "in the forest", "cub", "berries", "red", 4, "run"),
    "elephant": ("trumpet", 4, "in the savanna", "calf", "leaves", "grey", 9, "walk"),
    "monkey": ("chatter", 2, "in the jungle", "infant", "bananas", "brown", 5, "climb"),
    "owl": ("hoot", 2, "in the forest", "owlet", "mice", "brown", 3, "fly"),
    "parrot": ("squawk", 2, "in the jungle", "chick", "nuts", "green", 3, "fly"),
    "crow": ("caw", 2, "in a tree", "chick", "seeds", "black", 3, "fly"),
    "bee": ("buzz", 6, "in a hive", "larva", "nectar", "yellow", 1, "fly"),
    "snake": ("hiss", 0, "in the desert", "hatchling", "mice", "green", 4, "slide"),
    "fish": ("no sound", 0, "in the sea", "fry", "plants", "silver", 2, "swim"),
    "whale": ("song", 0, "in the sea", "calf", "krill", "blue", 9, "swim"),
    "spider": ("no sound", 8, "in a web", "spiderling", "flies", "black", 1, "climb"),
    "swan": ("honk", 2, "by a lake", "cygnet", "plants", "white", 5, "swim"),
    "penguin": ("honk", 2, "on the ice", "chick", "fish", "black", 4, "swim"),
    "camel": ("grunt", 4, "in the desert", "calf", "grass", "brown", 8, "walk"),
}

COLOURS = {
    "the sky": "blue", "the sea": "blue", "grass": "green", "a leaf": "green", "a banana": "yellow", "the sun": "yellow",
    "a lemon": "yellow", "snow": "white", "milk": "white", "a cloud": "white", "coal": "black", "the night": "black",
    "blood": "red", "a tomato": "red", "a strawberry": "red", "a cherry": "red", "a fire engine": "red", "an orange": "orange",
    "a carrot": "orange", "a pumpkin": "orange", "chocolate": "brown", "coffee": "brown", "bread": "brown", "a grape": "purple",
    "a plum": "purple", "a violet": "purple", "a flamingo": "pink", "a rose": "red", "gold": "yellow", "a stone": "grey",
    "smoke": "grey", "a frog": "green", "a cucumber": "green", "salt": "white", "an egg": "white", "mud": "brown",
    "a pea": "green", "honey": "yellow", "a raven": "black", "ink": "blue",
}

OPPOSITES = [
    ("hot", "cold"), ("big", "small"), ("tall", "short"), ("fast", "slow"), ("old", "young"), ("happy", "sad"), ("day", "night"),
    ("up", "down"), ("left", "right"), ("open", "closed"), ("wet", "dry"), ("light", "dark"), ("hard", "soft"), ("full", "empty"),
    ("loud", "quiet"), ("clean", "dirty"), ("early", "late"), ("near", "far"), ("rich", "poor"), ("strong", "weak"),
    ("good", "bad"), ("first", "last"), ("high", "low"), ("thick", "thin"), ("wide", "narrow"), ("sweet", "sour"),
    ("sharp", "blunt"), ("heavy", "light"), ("new", "old"), ("yes", "no"), ("summer", "winter"), ("friend", "enemy"),
    ("begin", "end"), ("give", "take"), ("push", "pull"), ("win", "lose"), ("buy", "sell"), ("love", "hate"), ("long", "short"),
    ("true", "false"),
]

CAPITALS = {
    "France": "Paris", "Germany": "Berlin", "Italy": "Rome", "Spain": "Madrid", "England": "London", "Ireland": "Dublin",
    "Portugal": "Lisbon", "Austria": "Vienna", "Poland": "Warsaw", "Greece": "Athens", "Norway": "Oslo", "Sweden": "Stockholm",
    "Finland": "Helsinki", "Denmark": "Copenhagen", "Belgium": "Brussels", "Hungary": "Budapest", "Japan": "Tokyo",
    "China": "Beijing", "India": "New Delhi", "Egypt": "Cairo", "Kenya": "Nairobi", "Canada": "Ottawa", "Brazil": "Brasilia",
    "Peru": "Lima", "Cuba": "Havana", "Russia": "Moscow", "Turkey": "Ankara", "Iceland": "Reykjavik", "Chile": "Santiago",
    "Mexico": "Mexico City",
}

TOOLS = {
    "a spoon": "eating soup", "a fork": "eating food", "a knife": "cutting bread", "a cup": "drinking tea", "a pen": "writing",
    "a brush": "painting", "a hammer": "hitting nails", "a saw": "cutting wood", "a key": "opening doors", "a lamp": "making light",
    "a clock": "telling the time", "a bed": "sleeping", "a chair": "sitting", "a book": "reading", "a phone": "calling friends",
    "an oven": "baking bread", "a broom": "sweeping the floor", "soap": "washing hands", "a towel": "drying hands",
    "a boat": "crossing the water", "a bus": "carrying people", "an umbrella": "staying dry", "a needle": "sewing clothes",
    "scissors": "cutting paper", "a ladder": "climbing up", "a bag": "carrying things", "a coat": "keeping warm",
    "a fridge": "keeping food cold", "a map": "finding the way", "a bell": "calling people",
}

JOBS = {
    "a baker": "makes bread", "a teacher": "helps children learn", "a doctor": "helps sick people", "a farmer": "grows food",
    "a pilot": "flies a plane", "a driver": "drives a bus", "a cook": "makes meals", "a painter": "paints pictures",
    "a singer": "sings songs", "a writer": "writes books", "a nurse": "cares for sick people", "a builder": "builds houses",
    "a fisher": "catches fish", "a gardener": "grows flowers", "a tailor": "makes clothes", "a sailor": "sails on a ship",
    "a librarian": "looks after books", "a firefighter": "puts out fires", "a dentist": "cares for teeth",
    "a shopkeeper": "sells things", "a plumber": "fixes pipes", "a carpenter": "works with wood", "a postman": "brings letters",
    "a vet": "helps sick animals",
}

TASTES = {
    "a lemon": "sour", "sugar": "sweet", "honey": "sweet", "salt": "salty", "chocolate": "sweet", "coffee": "bitter",
    "an apple": "sweet", "vinegar": "sour", "a pepper": "hot", "cake": "sweet", "the sea": "salty", "a grape": "sweet",
    "a lime": "sour", "cheese": "salty", "a pear": "sweet", "medicine": "bitter",
}

PLACES = {
    "bread": "the bakery", "books": "the bookshop", "medicine": "the pharmacy", "flowers": "the flower shop", "fish": "the market",
    "stamps": "the post office", "shoes": "the shoe shop", "milk": "the grocery", "apples": "the market", "toys": "the toy shop",
    "tickets": "the station", "nails": "the tool shop", "meat": "the butcher", "glasses": "the optician", "newspapers": "the kiosk",
    "cake": "the bakery",
}

HOWTO = {
    "make tea": "Boil some water, pour it over the tea, and wait for three minutes.",
    "make toast": "Put the bread in the toaster, wait until it is brown, and add butter.",
    "boil an egg": "Put the egg in hot water and wait for six minutes.",
    "make a sandwich": "Take two pieces of bread and put some cheese between them.",
    "wash my hands": "Use warm water and soap, rub your hands, and dry them with a towel.",
    "plant a seed": "Make a small hole in the soil, put the seed in, and give it water.",
    "clean a window": "Wipe the glass with warm water and dry it with a cloth.",
    "tie my shoes": "Cross the laces, make two loops, and pull them through.",
    "write a letter": "Take a pen and paper, write your words, and sign your name.",
    "draw a house": "Draw a square, put a triangle on top, and add a door.",
    "feed a cat": "Put some fish in a bowl and give it fresh water.",
    "wash a car": "Use a sponge with soap, start at the top, and rinse with water.",
    "sleep well": "Go to bed early, keep the room dark, and put your phone away.",
    "stay healthy": "Eat good food, drink water, and walk every day.",
    "make soup": "Cut some vegetables, put them in hot water, and cook them for half an hour.",
    "bake a cake": "Mix flour, sugar, butter and eggs, and bake it for forty minutes.",
    "make coffee": "Put the coffee in a filter and pour hot water over it.",
    "learn a song": "Listen to the song many times and sing along.",
    "make a friend": "Say hello, ask a kind question, and listen well.",
    "keep warm": "Wear a coat, a hat and gloves, and drink something hot.",
    "catch a bus": "Go to the bus stop, wait for the bus, and buy a ticket.",
    "send a parcel": "Pack it well, write the address on it, and take it to the post office.",
    "return a parcel": "Pack it again, add the receipt, and bring it to the shop.",
    "fix a flat tyre": "Take off the wheel, close the hole, and fill the tyre with air.",
}

PARTS = {
    "eyes": "see", "ears": "hear", "a nose": "smell", "a mouth": "eat", "hands": "hold things", "feet": "walk", "teeth": "chew",
    "a tongue": "taste", "legs": "run", "a brain": "think",
}

SHAPES = {"a triangle": 3, "a square": 4, "a rectangle": 4, "a pentagon": 5, "a hexagon": 6, "an octagon": 8}

AMOUNTS = {
    "days are in a week": "7", "months are in a year": "12", "hours are in a day": "24", "minutes are in an hour": "60",
    "seconds are in a minute": "60", "seasons are in a year": "4", "fingers are on a hand": "5", "wheels are on a car": "4",
    "wheels are on a bike": "2", "legs are on a chair": "4", "eyes are on a face": "2", "days are in April": "30",
    "letters are in the alphabet": "26", "eggs are in a dozen": "12", "legs are on an ant": "6", "sides are on a coin": "2",
}

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
SEASONS = {"spring": "warm and the flowers grow", "summer": "hot and the days are long", "autumn": "cool and the leaves fall",
           "winter": "cold and the snow falls"}

PLURALS = {"cat": "cats", "dog": "dogs", "mouse": "mice", "child": "children", "foot": "feet", "tooth": "teeth", "box": "boxes",
           "leaf": "leaves", "sheep": "sheep", "fish": "fish", "book": "books", "man": "men", "woman": "women", "goose": "geese",
           "city": "cities", "bus": "buses", "knife": "knives", "baby": "babies", "tree": "trees", "potato": "potatoes"}

CLASSES = {
    "fruit": ["apple", "pear", "banana", "orange", "grape", "plum", "cherry", "lemon", "peach", "strawberry"],
    "vegetable": ["carrot", "potato", "onion", "pea", "cucumber", "cabbage", "bean", "pumpkin"],
    "colour": ["red", "blue", "green", "yellow", "black", "white", "brown", "pink"],
    "flower": ["rose", "tulip", "daisy", "lily", "violet", "sunflower"],
    "tool": ["hammer", "saw", "knife", "brush", "needle", "ladder"],
    "bird": ["owl", "crow", "duck", "swan", "parrot", "hen", "penguin"],
    "metal": ["gold", "silver", "iron", "copper", "tin"],
    "drink": ["water", "milk", "tea", "coffee", "juice"],
    "game": ["chess", "football", "tag", "cards", "tennis"],
    "planet": ["Mars", "Venus", "Earth", "Saturn", "Jupiter"],
}

WEATHER = {
    "it rains": ("an umbrella", "Take an umbrella and wear boots."), "it snows": ("a coat", "Wear a warm coat, a hat and gloves."),
    "it is hot": ("a hat", "Wear a hat and drink a lot of water."), "it is cold": ("a coat", "Wear a coat and drink hot tea."),
    "it is windy": ("a jacket", "Wear a jacket and hold your hat."), "it is sunny": ("a hat", "Wear a hat and sit in the shade."),
    "it is dark": ("a lamp", "Take a lamp and walk slowly."), "it is foggy": ("a light", "Turn on a light and go slowly."),
}

FEELINGS = {
    "sad": "I am sorry that you are sad. Talk to a friend or take a walk.",
    "tired": "You should rest. Go to bed early tonight.",
    "hungry": "You should eat something. A sandwich is quick and good.",
    "thirsty": "You should drink some water.",
    "cold": "Put on a coat and drink some hot tea.",
    "hot": "Sit in the shade and drink some water.",
    "bored": "Read a book or draw a picture.",
    "happy": "That is good to hear. I am glad that you are happy.",
    "angry": "Take a deep breath and count to ten.",
    "afraid": "You are safe. Hold my hand and tell me about it.",
    "lost": "Look at a map or ask a kind person for the way.",
    "sick": "You should see a doctor and rest in bed.",
    "lonely": "Call a friend. A good talk helps.",
    "late": "Take the bus and tell your friend that you are late.",
}

NAMES = ["Anna", "Ben", "Clara", "David", "Emma", "Finn", "Grace", "Henry", "Ida", "Jack", "Kate", "Leo", "Mia", "Noah", "Olive",
         "Paul", "Rose", "Sam", "Tina", "Will"]

UNKNOWN = ["Who won the game yesterday?", "What is my name?", "How old is the mayor?", "What did I eat this morning?",
           "What will the weather be next week?", "Who is at the door?", "How much money do I have?", "Where is my key?",
           "What is the name of your brother?", "Who wrote this letter?", "What am I thinking?", "Which train is late today?"]
