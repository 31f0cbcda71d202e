#include "recall/small_talk_words.hpp"

namespace engram::recall {
namespace {

using std::string_view;

constexpr std::array<string_view, languages> words_of_languages = {
    "let us ive im id youre its thats whats dont cant isnt shall may might must us",
    // German
    "der die das den dem des ein eine einen einem einer eines kein keine keinen und oder aber auch als am an "
    "auf aus "
    "bei beim bin bis bist da damit dann dass denn dich dir doch dort du durch er es euch euer für gegen "
    "habe haben "
    "hast hat hatte hier ich ihm ihn ihnen ihr ihre im in ins ist ja jetzt kann kannst können man mein meine "
    "meinen "
    "meinem meiner mich mir mit mal muss nach nicht noch nun nur ob ohne schon sehr sein seine seit sich sie "
    "sind so "
    "soll sollte über um uns unser unsere unter vom von vor war waren warum was wann weil wenn wer werde "
    "werden wie "
    "wieder will willst wir wird wo wurde würde zu zum zur dein deine deinen deinem deiner etwas mehr dazu",
    // French
    "le la les l un une des du de d et ou mais aussi a à au aux avec ce cet cette ces c ça cela comme "
    "comment dans est "
    "es suis sont étais était ai as avons avez ont en elle elles eux il ils je j tu te toi t me moi m mon ma "
    "mes ton ta "
    "tes son sa ses notre nos votre vos leur leurs nous vous on ne n pas plus par pour que qu quel quelle "
    "quels quelles "
    "qui quoi quand où pourquoi sans se s si sur très y peux peut ici là donc alors",
    // Spanish
    "el la los las un una unos unas de del y o u pero también a al con como cómo cuál cuáles cuándo cuánto "
    "dónde por "
    "para que qué quién en es eres soy son era fue está estás estoy están ha has he hay mi mis tu tus su sus "
    "me te se "
    "le les lo nos nosotros yo tú él ella ellos ustedes no ni sí si sin sobre muy más ya porque esto esta "
    "este ese esa "
    "eso puedes puede",
    // Portuguese
    "o a os as um uma uns umas de do da dos das e ou mas também ao à com como qual quais quando quanto onde "
    "por para "
    "que quem em no na nos nas num numa é és sou são era foi está estás estou estão há meu minha meus minhas "
    "teu tua seu "
    "sua me te se lhe lo nós eu tu ele ela eles você vocês não nem sim sem sobre muito mais já porque isto "
    "isso esta "
    "este esse essa pode podes pra",
    // Italian
    "il lo la i gli le un uno una di del dello della dei delle e o ma anche a al alla ai con come qual quale "
    "quali "
    "quando quanto dove per che chi cosa in nel nella è sei sono era ho hai ha abbiamo mio mia miei mie tuo "
    "tua suo sua "
    "mi ti si ci vi me te lui lei loro io tu noi voi non né sì se senza su sul molto più già perché questo "
    "questa "
    "quello quella puoi può",
    // Dutch
    "de het een en of maar ook aan als bij dan dat de die dit door er haar had heb hebben hebt heeft hem "
    "hier hij hoe ik "
    "in is ja je jij jou jouw kan kun kunnen met mij mijn me naar niet nog nu om onder ons ook op over te "
    "tot uit van "
    "voor waar waarom wanneer was wat we wel werd wie wij wil worden zal ze zich zij zijn zo zou u uw",
    // Polish
    "i a o w we z ze na do od po za dla przez przy pod nad u to ten ta te tego tej tym co czy jak jaki jaka "
    "jakie kto "
    "kiedy gdzie dlaczego że nie tak się jest jestem jesteś są był była było być mam masz ma ja ty on ona "
    "ono my wy oni "
    "mnie mi mój moja moje moim mojej cię ci twój twoja jego jej ich ale lub oraz też już tylko bardzo",
    // Russian
    "и а но или да же ли бы не ни в во с со к ко на по за из от до у о об для при про без через это этот эта "
    "эти что "
    "как какой какая какое кто когда где почему зачем чей я ты он она оно мы вы они меня мне мной тебя тебе "
    "его ему её "
    "ей нас нам вас вам их им мой моя моё мои моего моей моему твой твоя мою твою свой свою моих твои моим "
    "есть был была было были быть так "
    "там тут уже "
    "ещё только очень зовут",
    // Turkish
    "ve veya ama de da mi mı mu mü ki ile için bu şu o ben sen biz siz onlar bana beni benim sana seni senin "
    "onun bir "
    "ne nasıl neden niye kim nerede nereye zaman hangi kaç var yok değil çok daha gibi kadar sonra ise",
    // Swedish, Danish, Norwegian
    "och og eller men att at det den de en ett et i på til till för for med av af om som är er var jag jeg "
    "du han hon "
    "hun vi ni dig mig min mitt mine mina din ditt vad hva hvad vem hvem när når hvor var varför hvorfor hur "
    "hvordan inte "
    "ikke har hade kan ska skal vill vil nu nå så också også min mit",
    // Ukrainian
    "і й та або але не ні в у з зі із до на по за від для при про без через це цей ця ці що як який яка яке "
    "хто коли де "
    "чому я ти він вона воно ми ви вони мене мені тебе тобі його йому її їй нас нам вас вам їх мій моя моє "
    "мої моєї є "
    "був була було були так там тут вже ще тільки дуже звати",
    // Indonesian
    "yang dan atau tapi di ke dari pada untuk dengan ini itu saya aku kamu anda dia kami kita mereka apa "
    "siapa kapan "
    "di mana bagaimana mengapa tidak bukan ada adalah sudah akan bisa juga ku mu nya",
    // Arabic
    "في من إلى على عن مع هذا هذه ذلك ما ماذا متى أين كيف لماذا هل من هو هي أنا أنت نحن و أو لكن لا نعم كان "
    "كانت التي الذي "
    "لي لك اسم",
    // Hindi
    "है हैं हूँ था थी थे का की के को से में पर और या मैं मेरा मेरी मेरे मुझे तुम आप आपका वह यह क्या कब कहाँ कैसे क्यों कौन नहीं हाँ भी "
    "तो ही"};
static_assert(!words_of_languages.back().empty());

constexpr string_view words_anywhere =
    "hi hello hey heya hiya howdy yo sup greetings bye goodbye byebye cya thanks thank thx thanx ty tysm "
    "cheers please "
    "pls plz ok okay okey okie k kk yes yeah yea yep yup nope nah no yay oh ah aha ooh wow hmm hm hmmm mm "
    "mhm um uh er "
    "eh huh oops ouch ugh lol lmao lmfao rofl xd omg omfg btw imo idk np nvm gg welcome sorry yw ciao hallo "
    "hallöchen "
    "servus moin grüezi grüß tschüss tschüß tschau danke dankeschön bitte bitteschön nein jo jep nö genau "
    "achso bonjour "
    "bonsoir salut coucou merci svp oui non ouais au revoir hola adiós gracias porfavor vale buenas oye oi "
    "olá "
    "obrigado obrigada tchau sim não valeu beleza buongiorno buonasera buonanotte salve arrivederci grazie "
    "prego sì "
    "hoi dag hallo doei bedankt dank dankjewel alsjeblieft alstublieft nee goedemorgen goedemiddag "
    "goedenavond "
    "welterusten cześć hej siema dziękuję dzięki proszę tak nie dobranoc привет здравствуй здравствуйте пока "
    "спасибо "
    "пожалуйста да нет ага угу ок окей хорошо ладно понятно ясно merhaba selam günaydın teşekkürler teşekkür "
    "teşekkur "
    "sağol sağolun lütfen evet hayır tamam hoşçakal hejsan tjena tack takk tak ja nej nei hejdå привіт вітаю "
    "дякую будь "
    "ласка так ні добре halo hai terima kasih tolong ya tidak oke مرحبا أهلا اهلا السلام عليكم وعليكم شكرا "
    "شكراً عفوا نعم لا "
    "حسنا طيب नमस्ते नमस्कार धन्यवाद शुक्रिया हाँ नहीं ठीक अच्छा xin chào cảm ơn vâng dạ γεια σας ευχαριστώ ναι "
    "שלום תודה כן לא سلام ممنون مرسی "
    // Scripts without blanks come in pairs of characters.
    "こんにちは こんばんは おはよう おはようございます おやすみ おやすみなさい ありがとう "
    "ありがとうございます ありがとうございました "
    "どうも はい いいえ うん ううん よろしく よろしくお願いします お願いします すみません ごめん "
    "ごめんなさい 了解 了解です "
    "わかりました なるほど お元気ですか 元気 久しぶり さようなら またね じゃあね お疲れ様 お疲れ様です "
    "お疲れさま 続けて 続き どうぞ "
    "そうですね そうです です 今日は 大丈夫 大丈夫です "
    "你好 您好 你好吗 您好吗 早上好 早安 早 上午好 下午好 晚上好 晚安 谢谢 谢谢你 多谢 謝謝 謝謝你 不客气 "
    "不客氣 好 好的 好吧 好啊 是 "
    "是的 不是 不 对 對 嗯 嗯嗯 哦 哈哈 再见 再見 拜拜 对不起 對不起 没关系 沒關係 没问题 请 继续 繼續 "
    "知道了 明白 明白了 收到 在吗 怎么样 "
    "最近怎么样 太好了 吃了吗 "
    "안녕 안녕하세요 안녕히 계세요 가세요 좋은 아침 아침이에요 아침입니다 잘자 잘자요 주무세요 고마워 "
    "고마워요 감사합니다 감사해요 네 예 응 "
    "아니 아니요 아니오 그래 그래요 알겠어 알겠어요 알겠습니다 미안 미안해 죄송합니다 괜찮아 괜찮아요 잘 "
    "지내 지내세요 지냈어 어떻게 반가워 "
    "반갑습니다 계속 계속해 오케이 ㅋㅋ ㅎㅎ ㅇㅋ ㅇㅇ "
    "สวัสดี สวัสดีครับ สวัสดีค่ะ ขอบคุณ ขอบคุณครับ ขอบคุณค่ะ ครับ ค่ะ โอเค ใช่ ไม่ใช่ ได้ หวัดดี อรุณสวัสดิ์ ราตรีสวัสดิ์ ลาก่อน สบายดีไหม";

constexpr string_view words_alone =
    "good great nice cool fine perfect excellent awesome amazing wonderful lovely super brilliant sure right "
    "exactly "
    "indeed absolutely definitely certainly totally agreed understood alright interesting really seriously "
    "true correct "
    "maybe perhaps probably whatever morning evening night afternoon continue go next again more test "
    "testing stop wait "
    "done help morgen abend nacht gut prima toll klasse genial okay schön richtig stimmt klar weiter nochmal "
    "mehr sicher "
    "natürlich vielleicht verstanden bien génial parfait super exact daccord continue encore suite bueno "
    "bien genial "
    "perfecto claro exacto sigue continúa adelante otra más entendido quizás bom boa ótimo legal perfeito "
    "claro certo "
    "continua mais entendi talvez bene bravo perfetto certo esatto continua avanti ancora capito forse goed "
    "mooi prima "
    "leuk precies zeker verder meer begrepen misschien dobrze super świetnie jasne pewnie dalej jeszcze "
    "rozumiem może "
    "отлично супер класс круто точно конечно дальше продолжай ещё понял поняла возможно может güzel harika "
    "süper iyi "
    "tabii kesinlikle devam anladım belki bra fint toppen precis säkert vidare mer förstår kanske чудово "
    "супер далі "
    "bagus baik lanjut lagi ممتاز رائع تمام استمر बढ़िया";

constexpr string_view several_words[] = {"good morning",
                                         "good evening",
                                         "good night",
                                         "good afternoon",
                                         "good day",
                                         "good to see you",
                                         "good to hear",
                                         "have a good day",
                                         "have a nice day",
                                         "have a great day",
                                         "have a good one",
                                         "have a good evening",
                                         "have a nice weekend",
                                         "have a good weekend",
                                         "have a great weekend",
                                         "good luck",
                                         "well done",
                                         "good job",
                                         "great job",
                                         "nice job",
                                         "good work",
                                         "great work",
                                         "how are you",
                                         "how are you doing",
                                         "how are you today",
                                         "how is it going",
                                         "hows it going",
                                         "how it going",
                                         "how do you do",
                                         "how have you been",
                                         "what up",
                                         "whats up",
                                         "what is up",
                                         "what is new",
                                         "what new",
                                         "whats new",
                                         "sounds good",
                                         "sounds great",
                                         "sound good",
                                         "looks good",
                                         "that great",
                                         "thats great",
                                         "that is great",
                                         "that good",
                                         "that is good",
                                         "that nice",
                                         "that is nice",
                                         "that is cool",
                                         "that cool",
                                         "i see",
                                         "got it",
                                         "i got it",
                                         "i understand",
                                         "makes sense",
                                         "that makes sense",
                                         "no problem",
                                         "no worries",
                                         "not at all",
                                         "of course",
                                         "no way",
                                         "all right",
                                         "all good",
                                         "my pleasure",
                                         "you are welcome",
                                         "you welcome",
                                         "see you",
                                         "see ya",
                                         "see you later",
                                         "see you soon",
                                         "see you tomorrow",
                                         "talk to you later",
                                         "talk later",
                                         "take care",
                                         "sleep well",
                                         "sweet dreams",
                                         "long time no see",
                                         "nice to meet you",
                                         "nice to see you",
                                         "pleased to meet you",
                                         "tell me more",
                                         "tell me",
                                         "go on",
                                         "go ahead",
                                         "keep going",
                                         "carry on",
                                         "one more time",
                                         "once more",
                                         "let me know",
                                         "let me think",
                                         "let me see",
                                         "do you think",
                                         "i think so",
                                         "i guess",
                                         "i guess so",
                                         "i know",
                                         "you know",
                                         "i mean",
                                         "help me",
                                         "i hope so",
                                         "are you there",
                                         "are you sure",
                                         "never mind",
                                         "just kidding",
                                         "good point",
                                         "fair enough",
                                         "excuse me",
                                         "thank you very much",
                                         "thank you so much",
                                         "thanks a lot",
                                         "many thanks",
                                         "happy new year",
                                         "merry christmas",
                                         "happy holidays",
                                         "happy easter",
                                         "happy birthday to you",
                                         "good bye",
                                         "i am back",
                                         "im back",
                                         "i am here",
                                         "i am fine",
                                         "i m fine",
                                         "im fine",
                                         "i am good",
                                         "i m good",
                                         "im good",
                                         "doing well",
                                         "doing good",
                                         "doing fine",
                                         "doing great",
                                         "hope you are well",
                                         "hope you are doing well",
                                         "guten morgen",
                                         "guten tag",
                                         "guten abend",
                                         "gute nacht",
                                         "grüß gott",
                                         "grüß dich",
                                         "wie geht",
                                         "wie geht es dir",
                                         "wie gehts",
                                         "wie geht s",
                                         "wie läuft",
                                         "was gibt neues",
                                         "was geht",
                                         "was gibt es neues",
                                         "alles klar",
                                         "alles gut",
                                         "vielen dank",
                                         "besten dank",
                                         "herzlichen dank",
                                         "danke schön",
                                         "danke sehr",
                                         "bitte schön",
                                         "bitte sehr",
                                         "kein problem",
                                         "keine ursache",
                                         "gern geschehen",
                                         "gerne",
                                         "bis später",
                                         "bis bald",
                                         "bis morgen",
                                         "bis dann",
                                         "schlaf gut",
                                         "schönen tag",
                                         "schönen tag noch",
                                         "schönen abend",
                                         "schönen abend noch",
                                         "schönes wochenende",
                                         "auf wiedersehen",
                                         "mach weiter",
                                         "mach s gut",
                                         "machs gut",
                                         "mir geht es gut",
                                         "geht es dir",
                                         "es geht mir gut",
                                         "sehr gut",
                                         "sehr schön",
                                         "erzähl mir mehr",
                                         "erzähl mehr",
                                         "frohes neues",
                                         "frohe weihnachten",
                                         "was meinst du",
                                         "was denkst du",
                                         "ich verstehe",
                                         "ach so",
                                         "ça va",
                                         "ça va bien",
                                         "comment ça va",
                                         "comment vas tu",
                                         "comment allez vous",
                                         "quoi de neuf",
                                         "bonne nuit",
                                         "bonne journée",
                                         "bonne soirée",
                                         "bon après midi",
                                         "bon week end",
                                         "bon weekend",
                                         "à bientôt",
                                         "à demain",
                                         "à plus",
                                         "à plus tard",
                                         "merci beaucoup",
                                         "merci bien",
                                         "de rien",
                                         "s il te plaît",
                                         "s il vous plaît",
                                         "pas de problème",
                                         "pas de souci",
                                         "d accord",
                                         "très bien",
                                         "c est bien",
                                         "c est bon",
                                         "je vois",
                                         "je comprends",
                                         "bien sûr",
                                         "tout va bien",
                                         "qu en penses tu",
                                         "dis m en plus",
                                         "vas y",
                                         "bonne année",
                                         "joyeux noël",
                                         "tu vas bien",
                                         "vous allez bien",
                                         "buenos días",
                                         "buen día",
                                         "buenas tardes",
                                         "buenas noches",
                                         "qué tal",
                                         "que tal estás",
                                         "cómo estás",
                                         "cómo está",
                                         "cómo te va",
                                         "cómo va todo",
                                         "cómo va",
                                         "qué hay",
                                         "qué pasa",
                                         "muchas gracias",
                                         "mil gracias",
                                         "de nada",
                                         "por favor",
                                         "hasta luego",
                                         "hasta mañana",
                                         "hasta pronto",
                                         "nos vemos",
                                         "muy bien",
                                         "todo bien",
                                         "está bien",
                                         "de acuerdo",
                                         "no hay problema",
                                         "por supuesto",
                                         "ya veo",
                                         "lo siento",
                                         "cuéntame más",
                                         "dime más",
                                         "qué opinas",
                                         "qué piensas",
                                         "feliz año nuevo",
                                         "feliz navidad",
                                         "que descanses",
                                         "buen fin de semana",
                                         "mucho gusto",
                                         "bom dia",
                                         "boa tarde",
                                         "boa noite",
                                         "tudo bem",
                                         "tudo bom",
                                         "como vai",
                                         "como vai você",
                                         "como está",
                                         "como estás",
                                         "como você está",
                                         "e aí",
                                         "muito obrigado",
                                         "muito obrigada",
                                         "de nada",
                                         "até logo",
                                         "até amanhã",
                                         "até mais",
                                         "até já",
                                         "muito bem",
                                         "está bem",
                                         "sem problema",
                                         "com certeza",
                                         "claro que sim",
                                         "bom fim de semana",
                                         "o que acha",
                                         "conta mais",
                                         "por favor",
                                         "feliz ano novo",
                                         "feliz natal",
                                         "buon giorno",
                                         "buona sera",
                                         "buona notte",
                                         "buona giornata",
                                         "buona serata",
                                         "come stai",
                                         "come sta",
                                         "come va",
                                         "tutto bene",
                                         "che si dice",
                                         "va bene",
                                         "grazie mille",
                                         "molte grazie",
                                         "tante grazie",
                                         "di niente",
                                         "per favore",
                                         "per piacere",
                                         "a presto",
                                         "a domani",
                                         "a dopo",
                                         "ci vediamo",
                                         "molto bene",
                                         "d accordo",
                                         "certo che sì",
                                         "ho capito",
                                         "dimmi di più",
                                         "che ne pensi",
                                         "buon anno",
                                         "buon natale",
                                         "buon fine settimana",
                                         "non c è problema",
                                         "goede morgen",
                                         "goeden morgen",
                                         "goede middag",
                                         "goede avond",
                                         "goede nacht",
                                         "goeie morgen",
                                         "hoe gaat het",
                                         "hoe gaat het met je",
                                         "hoe is het",
                                         "alles goed",
                                         "dank je",
                                         "dank je wel",
                                         "dank u",
                                         "dank u wel",
                                         "heel erg bedankt",
                                         "graag gedaan",
                                         "geen probleem",
                                         "tot ziens",
                                         "tot morgen",
                                         "tot later",
                                         "tot straks",
                                         "heel goed",
                                         "ga door",
                                         "vertel meer",
                                         "wat denk je",
                                         "wat vind je",
                                         "slaap lekker",
                                         "fijne dag",
                                         "fijne avond",
                                         "fijn weekend",
                                         "dzień dobry",
                                         "dobry wieczór",
                                         "dobry dzień",
                                         "jak się masz",
                                         "co słychać",
                                         "co tam",
                                         "jak leci",
                                         "bardzo dziękuję",
                                         "dziękuję bardzo",
                                         "nie ma za co",
                                         "nie ma sprawy",
                                         "nie ma problemu",
                                         "do widzenia",
                                         "do zobaczenia",
                                         "na razie",
                                         "do jutra",
                                         "miłego dnia",
                                         "bardzo dobrze",
                                         "w porządku",
                                         "wszystko dobrze",
                                         "opowiedz więcej",
                                         "co myślisz",
                                         "szczęśliwego nowego roku",
                                         "wesołych świąt",
                                         "доброе утро",
                                         "добрый день",
                                         "добрый вечер",
                                         "доброй ночи",
                                         "спокойной ночи",
                                         "как дела",
                                         "как ты",
                                         "как поживаешь",
                                         "как вы",
                                         "что нового",
                                         "большое спасибо",
                                         "спасибо большое",
                                         "не за что",
                                         "до свидания",
                                         "до встречи",
                                         "до завтра",
                                         "очень хорошо",
                                         "всё хорошо",
                                         "все хорошо",
                                         "всё в порядке",
                                         "без проблем",
                                         "хорошего дня",
                                         "я понял",
                                         "я поняла",
                                         "расскажи больше",
                                         "что думаешь",
                                         "с новым годом",
                                         "рад тебя видеть",
                                         "давай дальше",
                                         "iyi günler",
                                         "iyi geceler",
                                         "iyi akşamlar",
                                         "nasılsın",
                                         "nasılsınız",
                                         "ne haber",
                                         "naber",
                                         "ne var ne yok",
                                         "nasıl gidiyor",
                                         "çok teşekkürler",
                                         "teşekkür ederim",
                                         "çok teşekkür ederim",
                                         "rica ederim",
                                         "bir şey değil",
                                         "sorun değil",
                                         "görüşürüz",
                                         "hoşça kal",
                                         "kendine iyi bak",
                                         "çok iyi",
                                         "çok güzel",
                                         "tabii ki",
                                         "devam et",
                                         "ne düşünüyorsun",
                                         "mutlu yıllar",
                                         "güle güle",
                                         "god morgon",
                                         "god morgen",
                                         "god kväll",
                                         "god natt",
                                         "god dag",
                                         "god aften",
                                         "god eftermiddag",
                                         "hur mår du",
                                         "hur är det",
                                         "hur är läget",
                                         "hvordan går det",
                                         "hvordan har du det",
                                         "tack så mycket",
                                         "tusen takk",
                                         "mange tak",
                                         "mange takk",
                                         "tack själv",
                                         "ha det",
                                         "ha det bra",
                                         "vi ses",
                                         "inga problem",
                                         "varsågod",
                                         "vær så god",
                                         "selv tak",
                                         "mycket bra",
                                         "god jul",
                                         "gott nytt år",
                                         "hva skjer",
                                         "доброго ранку",
                                         "добрий ранок",
                                         "добрий день",
                                         "добрий вечір",
                                         "на добраніч",
                                         "як справи",
                                         "як ти",
                                         "що нового",
                                         "дуже дякую",
                                         "до побачення",
                                         "selamat pagi",
                                         "selamat siang",
                                         "selamat sore",
                                         "selamat malam",
                                         "apa kabar",
                                         "terima kasih banyak",
                                         "sama sama",
                                         "sampai jumpa",
                                         "صباح الخير",
                                         "صباح النور",
                                         "مساء الخير",
                                         "مساء النور",
                                         "تصبح على خير",
                                         "كيف حالك",
                                         "كيف الحال",
                                         "شكرا جزيلا",
                                         "مع السلامة",
                                         "إلى اللقاء",
                                         "السلام عليكم",
                                         "من فضلك",
                                         "على الرحب والسعة",
                                         "لا مشكلة",
                                         "كل شيء بخير",
                                         "सुप्रभात",
                                         "शुभ प्रभात",
                                         "शुभ रात्रि",
                                         "शुभ संध्या",
                                         "आप कैसे हैं",
                                         "कैसे हो",
                                         "क्या हाल है",
                                         "बहुत धन्यवाद",
                                         "फिर मिलेंगे",
                                         "chào buổi sáng",
                                         "bạn khỏe không",
                                         "καλημέρα",
                                         "καλησπέρα",
                                         "καληνύχτα",
                                         "τι κάνεις",
                                         "בוקר טוב",
                                         "לילה טוב",
                                         "ערב טוב",
                                         "מה שלומך",
                                         "מה נשמע",
                                         "صبح بخیر",
                                         "شب بخیر"};

}  // namespace

std::array<string_view, languages> const& function_words = words_of_languages;
string_view const small_words = words_anywhere;
string_view const lone_words = words_alone;
std::span<string_view const> const phrases = several_words;

}  // namespace engram::recall
