"""IP desk phones that tell by themselves what they do, by calling an address of ours.

vendors  what each make calls its settings, and what the words mean that it may send
states   what one phone does, from what it said: pure, time comes in
poly     the XML of a Poly phone, down to the three fields that are wanted
phones   all phones of a site: whose words count, what is refused
http     the address itself
urls     what to paste into a phone
"""
